//! The companions: the key, removal, priming and the uncached body, and two hidden ones that the macros call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Generics, Lifetime};

use super::super::model::{Model, Placement};
use super::generics::{of_companions, turbofish};
use super::method::{cache, callee};
use super::{Names, conditions, is_lint_level, key, rules, site};
use crate::attribute::arguments::{Argument, companion, hidden, hidden_call};
use crate::attribute::ours_at;
use crate::attribute::template::bind_names;

/// Spells all companions.
pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let beside = Beside { model, names, generics: of_companions(model), name: &model.function.item.sig.ident };
    let all = [
        stands_free(model),
        beside.call(),
        beside.parts(),
        uncached(model),
        beside.key(),
        beside.entry(),
        beside.remove(),
        beside.update(),
        beside.prime(),
    ];
    all.into_iter().collect()
}

/// An item that is fine beside a free function and an error inside an impl. There the calls below would go to the functions of a
/// free function of the same name, if there is one.
fn stands_free(model: &Model) -> TokenStream {
    if model.placement != Placement::Module {
        return TokenStream::new();
    }
    let sig = &model.function.item.sig;
    let conditions = conditions(&model.function.item.attrs);
    quote_spanned!(ours_at(sig.ident.span())=> #(#conditions)* const _: () = ();)
}

/// The function with the user's body.
fn uncached(model: &Model) -> TokenStream {
    let item = &model.function.item;
    let conditions = conditions(&item.attrs);
    let levels = item.attrs.iter().filter(|attribute| is_lint_level(attribute));
    let mut sig = item.sig.clone();
    sig.ident = companion(&sig.ident, "uncached");
    let doc = format!("Does what `{}` does, without the cache.", item.sig.ident);
    let (vis, block) = (&item.vis, &item.block);
    quote! {
        #(#conditions)*
        #(#levels)*
        #[doc = #doc]
        #[allow(dead_code, clippy::missing_errors_doc, clippy::missing_panics_doc, clippy::must_use_candidate)]
        #vis #sig #block
    }
}

struct Beside<'a> {
    model: &'a Model,
    names: &'a Names,
    generics: Generics,
    name: &'a Ident,
}

/// Who calls a companion.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// The user, with arguments as for the method.
    Users,
    /// The attributes of writing methods, with references to the arguments as for the method.
    Attributes,
}

/// What a companion is, in its signature.
struct Signature<'a> {
    doc: &'a str,
    from: From,
    name: Ident,
    more: TokenStream,
    output: TokenStream,
}

impl Beside<'_> {
    /// The hidden function that tells a call what is called, on which cache.
    fn call(&self) -> TokenStream {
        let Self { model, names, .. } = self;
        let call = &names.call;
        let call_type = model.runtime.private("Call");
        let lifetime = Lifetime::new("'cachex", proc_macro2::Span::mixed_site());
        let mut generics = self.generics.clone();
        generics.params.insert(0, syn::parse_quote!(#lifetime));
        let start = site::start(model, names);
        let cache = key::cache_of_self(model, names, &quote!());
        let name = hidden_call(self.name, model.placement != Placement::Module);
        let receiver = self.receiver(&quote!(&#lifetime));
        let call = quote!(#call: &mut #call_type<#lifetime>);
        // What is called does not depend on the key, of which a call of many has none at first.
        let inputs = if model.batch.is_some() { Vec::new() } else { self.inputs() };
        self.hidden(&name, (&generics, &receiver, inputs), &call, &quote!(#start #cache))
    }

    /// The hidden function that writes the key.
    fn parts(&self) -> TokenStream {
        let Self { model, names, .. } = self;
        let out = &names.out;
        let writer = model.runtime.private("KeyWriter");
        let parts = key::of_references(model, names);
        let name = hidden(self.name, "_parts");
        let receiver = self.receiver(&quote!(&));
        self.hidden(&name, (&self.generics, &receiver, self.inputs()), &quote!(#out: &mut #writer<'_>), &parts)
    }

    /// Spells a function that is put in place where it is called, on the path of a hit.
    fn hidden(
        &self,
        name: &Ident,
        (generics, receiver, inputs): (&Generics, &TokenStream, Vec<TokenStream>),
        output: &TokenStream,
        body: &TokenStream,
    ) -> TokenStream {
        let item = &self.model.function.item;
        let conditions = conditions(&item.attrs);
        let (vis, clause) = (&item.vis, &generics.where_clause);
        quote! {
            #(#conditions)*
            #[doc(hidden)]
            #[inline(always)]
            #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic)]
            #vis fn #name #generics (#receiver #(#inputs,)* #output) #clause {
                #body
            }
        }
    }

    /// Spells `&self,` if there is a receiver.
    fn receiver(&self, reference: &TokenStream) -> TokenStream {
        let Some(receiver) = &self.model.function.receiver else { return TokenStream::new() };
        let self_ = Ident::new("self", receiver.span);
        quote!(#reference #self_,)
    }

    fn key(&self) -> TokenStream {
        let key = self.model.runtime.private("Key");
        let started = self.started(false);
        let call = &self.names.call;
        let signature = Signature {
            doc: &format!("Returns the key of the entry of `{}` for these arguments.", self.name),
            from: From::Users,
            name: companion(self.name, "key"),
            more: TokenStream::new(),
            output: quote!(-> #key),
        };
        self.function(signature, quote!(#started #call.key()))
    }

    /// The function that `#[invalidates]` calls: the key, and the cache it is a key of.
    fn entry(&self) -> TokenStream {
        let target = self.model.runtime.private("Target");
        let started = self.started(true);
        let call = &self.names.call;
        let signature = Signature {
            doc: "",
            from: From::Attributes,
            name: hidden(self.name, "_entry"),
            more: TokenStream::new(),
            output: quote!(-> #target),
        };
        self.function(signature, quote!(#started #target::of(&#call)))
    }

    fn remove(&self) -> TokenStream {
        let is_async = self.model.function.is_async();
        let started = self.started(true);
        let call = &self.names.call;
        // A named future and not an `async fn`: a third of what a method costs to compile were these.
        let output = self.model.runtime.private(if is_async { "Removing" } else { "bool" });
        let remove = self.model.runtime.private(if is_async { "remove_async" } else { "remove" });
        let body = quote!(#started #remove(&#call));
        let signature = Signature {
            doc: &format!("Removes the entry of `{}` for these arguments; returns whether there was one.", self.name),
            from: From::Users,
            name: companion(self.name, "remove"),
            more: TokenStream::new(),
            output: quote!(-> #output),
        };
        self.function(signature, body)
    }

    fn prime(&self) -> TokenStream {
        let is_async = self.model.function.is_async();
        let (value, output) = (&self.names.value, &self.model.each);
        let (lines, arguments) = self.how_to_keep();
        let run = self.model.runtime.private_at(if is_async { "prime_async" } else { "prime" }, self.output_span());
        let priming = self.model.runtime.private("Priming");
        let signature = Signature {
            doc: &format!(
                "Keeps `value` as if `{}` had returned it for these arguments; an error is not kept.",
                self.name
            ),
            from: From::Users,
            name: companion(self.name, "prime"),
            more: quote!(#value: &#output,),
            output: if is_async { quote!(-> #priming) } else { TokenStream::new() },
        };
        let primed = quote_spanned!(self.output_span()=> #run(#arguments, #value));
        self.function(signature, quote!(#lines #primed))
    }

    /// The hidden function that `#[updates]` calls.
    fn update(&self) -> TokenStream {
        let output = &self.model.each;
        let update = self.model.runtime.private_at("Update", self.output_span());
        let (lines, arguments) = self.how_to_keep();
        let signature = Signature {
            doc: "",
            from: From::Attributes,
            name: hidden(self.name, "_update"),
            more: TokenStream::new(),
            output: quote!(-> #update<#output>),
        };
        let made = quote_spanned!(self.output_span()=> #update::new(#arguments));
        self.function(signature, quote!(#lines #made))
    }

    /// Spells the arguments that name an entry, its tags, and how its value is kept, and the lines before.
    fn how_to_keep(&self) -> (TokenStream, TokenStream) {
        let Self { model, names, .. } = self;
        let Names { call, shape, tags, .. } = names;
        let span = self.output_span();
        let tags_type = model.runtime.private_at("Tags", span);
        let started = self.started(true);
        let probed = rules::shape(model, names);
        let (keep, value_rules) = (rules::keep(model, names), rules::value_rules(model, names));
        let (named, tags) = if model.tags.is_empty() {
            (TokenStream::new(), quote_spanned!(span=> #tags_type::new()))
        } else {
            let bound = bind_names(&model.tags, &model.parts, false);
            let lines = rules::tags(model, names);
            (quote!(let mut #tags = #tags_type::new(); #bound #lines), quote!(#tags))
        };
        let lines = quote!(#started #probed #named);
        (lines, quote_spanned!(span=> &#call, #shape, #keep, #value_rules, #tags))
    }

    fn output_span(&self) -> Span {
        ours_at(self.model.output_span())
    }

    /// Spells the lines that make a call with its key, and with its cache if that matters.
    fn started(&self, has_cache: bool) -> TokenStream {
        let Names { call, out, .. } = self.names;
        let call_type = self.model.runtime.private("Call");
        let cache = if has_cache { cache(self.model, self.names, false) } else { TokenStream::new() };
        let begin = hidden_call(self.name, self.model.placement != Placement::Module);
        let of_call = if self.model.batch.is_some() { &[] } else { self.model.parts.as_slice() };
        let begun = self.call_beside(&begin, of_call, &quote!(&mut #call));
        let written = self.call_beside(&hidden(self.name, "_parts"), &self.model.parts, &quote!(#out));
        // In place, not returned: it would be copied, right after it was written.
        quote! {
            let mut #call = #call_type::new();
            #cache #begun;
            let mut #call = #call.unwritten();
            #call.write(|#out| #written);
        }
    }

    /// Calls another companion with the same arguments, or those of them that it takes, and `more`.
    fn call_beside(&self, name: &Ident, parts: &[Argument], more: &TokenStream) -> TokenStream {
        let callee = callee(self.model, name, &turbofish(&self.generics));
        let receiver = self.model.function.receiver.as_ref().map(|receiver| {
            let self_ = Ident::new("self", receiver.span);
            quote!(#self_,)
        });
        let parts = parts.iter().map(|part| &part.name);
        quote!(#callee(#receiver #(#parts,)* #more))
    }

    fn inputs(&self) -> Vec<TokenStream> {
        let parts = self.model.parts.iter();
        parts.map(|part| (&part.name, part.borrowed_type())).map(|(name, ty)| quote!(#name: #ty)).collect()
    }

    fn function(&self, signature: Signature<'_>, body: TokenStream) -> TokenStream {
        let Signature { doc, from, name, more, output } = signature;
        let item = &self.model.function.item;
        let conditions = conditions(&item.attrs);
        let doc = if doc.is_empty() { quote!(#[doc(hidden)]) } else { quote!(#[doc = #doc]) };
        let receiver = self.receiver(&quote!(&));
        let (inputs, single) = match from {
            From::Users => (self.inputs(), TokenStream::new()),
            From::Attributes => (self.doubled_inputs(), self.singled()),
        };
        let (vis, generics, clause) = (&item.vis, &self.generics, &self.generics.where_clause);
        quote! {
            #(#conditions)*
            #doc
            #[allow(dead_code, clippy::all, clippy::pedantic)]
            #vis fn #name #generics (#receiver #(#inputs,)* #more) #output #clause {
                #single
                #body
            }
        }
    }

    /// The inputs where each argument comes as `&(argument)`. A reference to something generic must then be declared as one more
    /// reference: what it stands for would else be inferred as the reference, which is another instance of the method.
    fn doubled_inputs(&self) -> Vec<TokenStream> {
        let parts = self.model.parts.iter();
        parts
            .map(|part| (&part.name, part.borrowed_type(), part.is_generic_reference(&self.generics)))
            .map(|(name, ty, is_doubled)| if is_doubled { quote!(#name: &#ty) } else { quote!(#name: #ty) })
            .collect()
    }

    /// Spells the lines that take the additional references away.
    fn singled(&self) -> TokenStream {
        let doubled = self.model.parts.iter().filter(|part| part.is_generic_reference(&self.generics));
        doubled.map(|part| &part.name).map(|name| quote!(let #name = *#name;)).collect()
    }
}
