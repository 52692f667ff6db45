//! Where a filtered listing goes on, sealed: the place may be beside something that its reader may not know of.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// Positions are filled up to a multiple of this, so that the length of a sealed one tells little of a name's.
const BLOCK: usize = 64;

/// Seals positions with a secret of this process. After a restart they cannot be opened any more.
pub(super) struct Positions(LessSafeKey);

impl Positions {
    pub(super) fn new(secret: &[u8; 32]) -> Result<Self, String> {
        let key = UnboundKey::new(&AES_256_GCM, secret);
        let key = key.map_err(|_| "the key for positions of listings was refused".to_owned())?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// A text for a query that [`Self::open`] reads again for the same listing, and nobody else.
    pub(super) fn seal(&self, listing: &str, position: &str) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        let mut sealed = position.as_bytes().to_vec();
        sealed.resize((position.len() / BLOCK + 1) * BLOCK, 0);
        let aad = Aad::from(listing.as_bytes());
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .ok()?;
        let text = [&nonce, sealed.as_slice(), tag.as_ref()].concat();
        Some(URL_SAFE_NO_PAD.encode(text))
    }

    /// The position in a sealed text; `None` when it was not sealed by this process for this listing.
    pub(super) fn open(&self, listing: &str, sealed: &str) -> Option<String> {
        let text = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = text.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let aad = Aad::from(listing.as_bytes());
        let opened = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut sealed)
            .ok()?;
        let position = opened.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8(position.to_vec()).ok()
    }
}

impl fmt::Debug for Positions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Positions(...)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_position_when_sealed_then_only_its_own_listing_and_process_open_it() {
        let positions = Positions::new(&[7; 32]).unwrap();
        for position in ["", "private/app", &"x".repeat(255)] {
            let sealed = positions.seal("catalog", position).unwrap();
            assert_eq!(positions.open("catalog", &sealed).as_deref(), Some(position));
            assert_eq!(positions.open("tags", &sealed), None);
            assert_eq!(Positions::new(&[8; 32]).unwrap().open("catalog", &sealed), None);
            assert_ne!(positions.seal("catalog", position), Some(sealed));
        }
    }

    #[test]
    fn given_names_of_other_lengths_when_sealed_then_the_texts_are_equally_long() {
        let positions = Positions::new(&[7; 32]).unwrap();
        let length = |position| positions.seal("catalog", position).unwrap().len();
        assert_eq!(length("a"), length("a/much/longer/name"));
    }

    #[test]
    fn given_texts_that_nobody_sealed_when_opened_then_none() {
        let positions = Positions::new(&[7; 32]).unwrap();
        let mut sealed = positions.seal("catalog", "a").unwrap();
        sealed.replace_range(20..21, if sealed.get(20..21) == Some("A") { "B" } else { "A" });
        for text in ["", "a", "private/app", &"A".repeat(80), &sealed] {
            assert_eq!(positions.open("catalog", text), None, "{text}");
        }
    }
}
