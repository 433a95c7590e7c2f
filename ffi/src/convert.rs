//! Between the core's types and those that cross the border.

use std::path::PathBuf;

/// As `Into`, but also through options, lists and boxes.
pub(crate) trait Convert<T> {
    fn convert(self) -> T;
}

impl<A: Convert<B>, B> Convert<Option<B>> for Option<A> {
    fn convert(self) -> Option<B> {
        self.map(A::convert)
    }
}

impl<A: Convert<B>, B> Convert<Vec<B>> for Vec<A> {
    fn convert(self) -> Vec<B> {
        self.into_iter().map(A::convert).collect()
    }
}

impl<A: Convert<B>, B> Convert<B> for Box<A> {
    fn convert(self) -> B {
        (*self).convert()
    }
}

macro_rules! unchanged {
    ($($kind:ty),+ $(,)?) => {
        $(impl Convert<$kind> for $kind {
            fn convert(self) -> $kind {
                self
            }
        })+
    };
}

unchanged!(bool, String, u8, u16, u32, u64);

impl Convert<String> for &'static str {
    fn convert(self) -> String {
        self.into()
    }
}

impl Convert<String> for PathBuf {
    fn convert(self) -> String {
        self.display().to_string()
    }
}

impl Convert<u64> for usize {
    fn convert(self) -> u64 {
        self as u64
    }
}

/// An enum without data, as the core has it: converted both ways.
macro_rules! mirrored_enum {
    ($(#[$doc:meta])* $name:ident of $source:ty { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Enum)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $crate::convert::Convert<$name> for $source {
            fn convert(self) -> $name {
                type Source = $source;
                #[allow(unreachable_patterns, reason = "the core may add variants; not all of its enums are open")]
                match self {
                    $(Source::$variant => $name::$variant,)+
                    _ => unreachable!("every variant is listed"),
                }
            }
        }

        impl $crate::convert::Convert<$source> for $name {
            fn convert(self) -> $source {
                type Source = $source;
                match self {
                    $(Self::$variant => Source::$variant,)+
                }
            }
        }
    };
}
pub(crate) use mirrored_enum;

/// A record of a struct of Rust's: `from` is converted one way, `both` also back.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident both $source:ty { $($(#[$field_doc:meta])* $field:ident: $kind:ty),+ $(,)? }) => {
        $crate::convert::record! { $(#[$doc])* $name from $source { $($(#[$field_doc])* $field: $kind),+ } }

        impl $crate::convert::Convert<$source> for $name {
            fn convert(self) -> $source {
                type Source = $source;
                Source { $($field: $crate::convert::Convert::convert(self.$field)),+ }
            }
        }
    };
    ($(#[$doc:meta])* $name:ident from $source:ty { $($(#[$field_doc:meta])* $field:ident: $kind:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, uniffi::Record)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind),+
        }

        impl $crate::convert::Convert<$name> for $source {
            fn convert(self) -> $name {
                $name { $($field: $crate::convert::Convert::convert(self.$field)),+ }
            }
        }
    };
}
pub(crate) use record;
