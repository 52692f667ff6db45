//! The table byte that each key begins with: one list, which does not compile when a number stands for two tables.

macro_rules! tables {
    ($($name:ident = $number:literal,)+) => {
        $(pub(super) const $name: u8 = $number;)+

        const ALL: &[u8] = &[$($number),+];
    };
}

tables! {
    REPOSITORY = 0x10,
    MANIFEST = 0x11,
    TAG = 0x12,
    TAG_OF = 0x13,
    REFERRER = 0x14,
    LINK = 0x20,
    EDGE = 0x21,
    BLOB = 0x22,
    LOCATION = 0x23,
    DAMAGED = 0x24,
    SCRUB = 0x25,
    STORE = 0x26,
    SWEEP = 0x27,
    START = 0x28,
    BODY = 0x30,
    BLOB_DATA = 0x31,
    UPLOAD = 0x40,
    DUE = 0x41,
    DOOMED = 0x42,
    EXTENT = 0x43,
    GARBAGE = 0x48,
    UNDIGESTED = 0x49,
    BUCKET = 0x50,
    BUCKET_STATE = 0x51,
    BUCKET_OF = 0x52,
    DOCUMENT = 0x53,
    LIVE = 0x58,
    HIDDEN = 0x59,
    VERSION = 0x5A,
    OBJECT_DATA = 0x5B,
    OBJECT_DIGEST = 0x5C,
    MULTIPART = 0x60,
    MULTIPART_STATE = 0x61,
    PART = 0x62,
    PART_DATA = 0x63,
    COMPOSITE = 0x64,
    PART_LIST = 0x65,
    COMPOSITE_EDGE = 0x66,
    ACCESS_KEY = 0x70,
    ACCESS_KEY_OF = 0x71,
    ACCESS_KEY_UNDER = 0x72,
}

const fn ascend(mut numbers: &[u8]) -> bool {
    while let [first, rest @ ..] = numbers {
        if let [second, ..] = rest
            && *first >= *second
        {
            return false;
        }
        numbers = rest;
    }
    true
}

const _: () = assert!(ascend(ALL), "the numbers of the tables ascend");
