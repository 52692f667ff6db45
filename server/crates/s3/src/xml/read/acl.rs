//! The body of `PutBucketAcl` and `PutObjectAcl`.

use super::elements::{Elements, malformed, once};
use crate::access_key::CanonicalId;
use crate::error::{ErrorCode, S3Error};

/// Checks that an access control list grants nothing but the `FULL_CONTROL` that the owner has anyway: the form that is
/// equivalent to `bucket-owner-full-control`.
///
/// # Errors
/// `AccessControlListNotSupported` when it grants anything else, `MalformedXML`.
pub fn check_owner_acl(document: &[u8], owner: &CanonicalId) -> Result<(), S3Error> {
    let mut elements = Elements::open(document, "AccessControlPolicy")?;
    let (mut owners, mut grants) = (None, None);
    while let Some(name) = elements.next(&["Owner", "AccessControlList"])? {
        if name == "Owner" {
            once(&mut owners, person(&mut elements)?)?;
        } else {
            once(&mut grants, read_grants(&mut elements)?)?;
        }
    }
    elements.finish()?;
    let grants = grants.ok_or_else(malformed)?;
    let is_owners = |grant: &Grant| {
        grant.permission == "FULL_CONTROL" && grant.grantee.as_deref() == Some(owner.as_str())
    };
    if grants.is_empty() || !grants.iter().all(is_owners) {
        return Err(ErrorCode::AccessControlListNotSupported.into());
    }
    Ok(())
}

/// Who gets what; somebody without a canonical id is a group or an address.
struct Grant {
    grantee: Option<String>,
    permission: String,
}

fn read_grants(elements: &mut Elements<'_>) -> Result<Vec<Grant>, S3Error> {
    let mut grants = Vec::new();
    while elements.next(&["Grant"])?.is_some() {
        let (mut grantee, mut permission) = (None, None);
        while let Some(name) = elements.next(&["Grantee", "Permission"])? {
            if name == "Grantee" {
                once(&mut grantee, person(elements)?)?;
            } else {
                once(&mut permission, elements.text()?)?;
            }
        }
        let (grantee, permission) = grantee.zip(permission).ok_or_else(malformed)?;
        grants.push(Grant { grantee, permission });
    }
    Ok(grants)
}

fn person(elements: &mut Elements<'_>) -> Result<Option<String>, S3Error> {
    let mut id = None;
    while let Some(name) = elements.next(&["ID", "DisplayName", "URI", "EmailAddress", "Type"])? {
        let text = elements.text()?;
        if name == "ID" {
            once(&mut id, text)?;
        }
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(grants: &str) -> String {
        format!(
            "<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>x</ID></Owner>\
             <AccessControlList>{grants}</AccessControlList></AccessControlPolicy>"
        )
    }

    fn grant(grantee: &str, permission: &str) -> String {
        format!(
            "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">\
             {grantee}</Grantee><Permission>{permission}</Permission></Grant>"
        )
    }

    #[test]
    fn given_a_list_when_it_grants_what_the_owner_has_anyway_then_it_passes_and_no_other() {
        let owner = CanonicalId::of("local", "alice");
        let own = format!("<ID>{}</ID><DisplayName>alice</DisplayName>", owner.as_str());
        let check = |document: &str| {
            let checked = check_owner_acl(document.as_bytes(), &owner);
            checked.err().map(|error| error.code())
        };
        assert_eq!(check(&list(&grant(&own, "FULL_CONTROL"))), None);
        let refused = Some(ErrorCode::AccessControlListNotSupported);
        let everybody = "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>";
        for document in [
            list(""),
            list(&grant(&own, "READ")),
            list(&grant("<ID>other</ID>", "FULL_CONTROL")),
            list(&(grant(&own, "FULL_CONTROL") + &grant(everybody, "READ"))),
        ] {
            assert_eq!(check(&document), refused, "{document}");
        }
        assert_eq!(check("<AccessControlPolicy/>"), Some(ErrorCode::MalformedXML));
    }
}
