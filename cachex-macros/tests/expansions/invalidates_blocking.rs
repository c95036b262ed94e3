fn clear() {
    let mut effects = ::cachex::__private::Effects::new();
    effects.cache(&(CACHE));
    effects.tag("users");
    let subject = {
        use ::cachex::__private::shapes::*;
        (&&&::cachex::__private::Probe::<()>::new()).shape()
    };
    ::cachex::__private::invalidates(
        effects,
        subject,
        move || -> () {
            forget_all();
        },
    )
}
