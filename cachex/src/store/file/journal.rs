//! What processes tell each other: a file that grows, and is begun anew once it is long.
//!
//! ```text
//! magic 8 B · number of this journal u64 · that of the one before u64 · length u64 · records: length u32 · xxh3-64 · bytes
//! ```
//!
//! A record counts once the length covers it: what a process that died has begun is overwritten. Who reads keeps the file open; so where a new
//! one is in its place, the rest of the old one can still be read. If there was yet another one in between, some is lost, and it is said so.

use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use xxhash_rust::xxh3::xxh3_64;

use super::directory::{Directory, Locked};

const NAME: &str = "journal";
const MAGIC: [u8; 8] = *b"cxjrnl\x00\x01";
const HEADER: u64 = 32;
const LENGTH_AT: u64 = 24;
/// Longer ones are begun anew.
const LONGEST: u64 = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    number: u64,
    before: u64,
    length: u64,
}

impl Header {
    fn write(self) -> Vec<u8> {
        let numbers = [self.number, self.before, self.length].map(u64::to_be_bytes);
        [&MAGIC[..], &numbers.concat()].concat()
    }

    /// Reads that of a file: nothing if it is no journal.
    fn of(file: &mut File) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER as usize];
        file.seek(SeekFrom::Start(0))?;
        match file.read_exact(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let number = |at: usize| bytes[at..].first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        let header = Self { number: number(8), before: number(16), length: number(24) };
        Ok((bytes.starts_with(&MAGIC) && header.length >= HEADER).then_some(header))
    }
}

/// Adds notices.
pub(super) fn append(locked: &Locked<'_>, notices: &[Vec<u8>]) -> io::Result<()> {
    let path = locked.directory().single(NAME);
    let (mut file, header) = match opened(locked)? {
        Some((file, header)) if header.length < LONGEST => (file, header),
        old => {
            let before = old.map_or(0, |(_, header)| header.number);
            // Drawn, not counted: the one before may be lost.
            let number = std::hash::RandomState::new().hash_one(before) | 1;
            let header = Header { number, before, length: HEADER };
            locked.replace(&path, &header.write())?;
            (locked.open(&path)?, header)
        }
    };
    if notices.is_empty() {
        return Ok(());
    }
    let mut records = Vec::new();
    for notice in notices {
        let Ok(len) = u32::try_from(notice.len()) else { continue };
        records.extend(len.to_be_bytes());
        records.extend(xxh3_64(notice).to_be_bytes());
        records.extend(notice);
    }
    file.seek(SeekFrom::Start(header.length))?;
    file.write_all(&records)?;
    file.seek(SeekFrom::Start(LENGTH_AT))?;
    file.write_all(&(header.length + records.len() as u64).to_be_bytes())
}

fn opened(locked: &Locked<'_>) -> io::Result<Option<(File, Header)>> {
    let mut file = match locked.open(&locked.directory().single(NAME)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let header = Header::of(&mut file)?;
    let len = file.metadata()?.len();
    Ok(header.filter(|header| header.length <= len).map(|header| (file, header)))
}

/// Where a reader is.
#[derive(Debug)]
pub(super) struct Reader {
    file: File,
    number: u64,
    offset: u64,
}

/// What a look at the journal brings.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// These, and nothing was lost.
    New(Vec<Vec<u8>>),
    /// Some was lost, or may have been: it is to be begun anew.
    Lost,
}

impl Reader {
    /// Begins at the end of the journal; nothing if there is none.
    pub(super) fn at_end(directory: &Directory) -> io::Result<Option<Self>> {
        let Some((file, header)) = journal(directory)? else { return Ok(None) };
        Ok(Some(Self { file, number: header.number, offset: header.length }))
    }

    /// Reads what is new.
    pub(super) fn look(&mut self, directory: &Directory) -> io::Result<Looked> {
        let Some((file, header)) = journal(directory)? else { return Ok(Looked::Lost) };
        let mut new = Vec::new();
        if header.number != self.number {
            if header.before != self.number {
                return Ok(Looked::Lost);
            }
            let rest = Header::of(&mut self.file)?;
            let Some(rest) = rest.filter(|rest| rest.number == self.number) else { return Ok(Looked::Lost) };
            if !self.read_up_to(rest.length, &mut new)? {
                return Ok(Looked::Lost);
            }
            *self = Self { file, number: header.number, offset: HEADER };
        }
        let is_whole = self.read_up_to(header.length, &mut new)?;
        Ok(if is_whole { Looked::New(new) } else { Looked::Lost })
    }

    /// Returns whether all of it could be read.
    fn read_up_to(&mut self, length: u64, new: &mut Vec<Vec<u8>>) -> io::Result<bool> {
        if length == self.offset {
            return Ok(true);
        }
        let Some(len) = length.checked_sub(self.offset).filter(|len| *len <= 4 * LONGEST) else { return Ok(false) };
        let mut bytes = vec![0; len as usize];
        self.file.seek(SeekFrom::Start(self.offset))?;
        match self.file.read_exact(&mut bytes) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        self.offset = length;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let Some((notice, after)) = record(rest) else { return Ok(false) };
            new.push(notice.to_vec());
            rest = after;
        }
        Ok(true)
    }
}

fn record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let (notice, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    (xxh3_64(notice) == u64::from_be_bytes(*sum)).then_some((notice, rest))
}

fn journal(directory: &Directory) -> io::Result<Option<(File, Header)>> {
    let mut file = match File::open(directory.single(NAME)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let header = Header::of(&mut file)?;
    Ok(header.map(|header| (file, header)))
}
