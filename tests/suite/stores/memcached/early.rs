//! A server that draws the number of an item before it waits for the item, as newer ones do: a number can be stored late.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// A server on a port of its own; dropped, it ends with all its connections.
pub(super) struct Early {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    items: HashMap<String, (Vec<u8>, u64)>,
    /// The last number that was drawn.
    drawn: u64,
    hold: Hold,
    streams: Vec<TcpStream>,
    is_over: bool,
}

/// What becomes of the next item that is stored, once it has its number.
#[derive(Default, PartialEq)]
enum Hold {
    #[default]
    Nothing,
    Next,
    /// It waits.
    Held,
}

impl Early {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let accepting = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                let mut state = accepting.state();
                if state.is_over {
                    return;
                }
                state.streams.extend(stream.try_clone());
                let serving = accepting.clone();
                thread::spawn(move || serving.serve(stream));
            }
        });
        Self { port, shared }
    }

    pub(super) fn url(&self) -> String {
        format!("memcached://127.0.0.1:{}", self.port)
    }

    /// Has the next item that is to be stored wait, when its number is drawn.
    pub(super) fn hold_next(&self) {
        self.shared.state().hold = Hold::Next;
    }

    pub(super) fn holds(&self) -> bool {
        self.shared.state().hold == Hold::Held
    }

    pub(super) fn let_go(&self) {
        self.shared.state().hold = Hold::Nothing;
        self.shared.changed.notify_all();
    }
}

impl Drop for Early {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state();
            state.is_over = true;
            state.hold = Hold::Nothing;
            for stream in state.streams.drain(..) {
                let _gone = stream.shutdown(Shutdown::Both);
            }
        }
        self.shared.changed.notify_all();
        // The listener looks up.
        let _gone = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers what one connection asks, until it ends.
    fn serve(&self, stream: TcpStream) {
        let Ok(mut to) = stream.try_clone() else { return };
        let mut from = BufReader::new(stream);
        let mut line = String::new();
        while from.read_line(&mut line).is_ok_and(|read| read > 0) {
            let words: Vec<_> = line.split_whitespace().collect();
            let mut value = Vec::new();
            if let ["ms", _, len, ..] = words[..] {
                value.resize(len.parse::<usize>().unwrap() + 2, 0);
                if from.read_exact(&mut value).is_err() {
                    return;
                }
                value.truncate(value.len() - 2);
            }
            if to.write_all(&self.answer(&words, value)).is_err() {
                return;
            }
            line.clear();
        }
    }

    fn answer(&self, words: &[&str], value: Vec<u8>) -> Vec<u8> {
        let flag = |name| words.iter().skip(2).find_map(|word| word.strip_prefix(name)).unwrap_or_default();
        let told = flag("O");
        match *words {
            ["mn"] => b"MN\r\n".to_vec(),
            ["stats"] => b"STAT pid 1\r\nSTAT uptime 1\r\nSTAT time 1000\r\nEND\r\n".to_vec(),
            ["mg", name, ..] => match self.state().items.get(name) {
                Some((value, number)) => {
                    let head = format!("VA {} c{number} O{told}\r\n", value.len());
                    [head.as_bytes(), value, b"\r\n"].concat()
                }
                None => b"EN\r\n".to_vec(),
            },
            ["md", name, ..] => {
                let gone = self.state().items.remove(name);
                format!("{} O{told}\r\n", if gone.is_some() { "HD" } else { "NF" }).into_bytes()
            }
            ["ms", name, ..] => {
                let over = flag("C").parse().ok();
                let answer = self.store(name, value, over, words.contains(&"ME"));
                format!("{answer} O{told}\r\n").into_bytes()
            }
            _ => b"ERROR\r\n".to_vec(),
        }
    }

    fn store(&self, name: &str, value: Vec<u8>, over: Option<u64>, is_new: bool) -> String {
        let mut state = self.state();
        state.drawn += 1;
        let number = state.drawn;
        if state.hold == Hold::Next {
            state.hold = Hold::Held;
            while state.hold == Hold::Held {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        let there = state.items.get(name).map(|(_, number)| *number);
        match (there, over) {
            (Some(_), _) if is_new => return "NS".to_owned(),
            (None, Some(_)) => return "NF".to_owned(),
            (Some(there), Some(over)) if there != over => return "EX".to_owned(),
            _ => {}
        }
        state.items.insert(name.to_owned(), (value, number));
        format!("HD c{number}")
    }
}
