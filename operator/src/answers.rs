//! What an answer of the API server means. Nothing else in the operator reads its words.

use kube::core::Status;

/// What an unsuccessful request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is no such object, or no such kind.
    NotFound,
    /// The object has changed, is another incarnation, or was made by somebody else meanwhile.
    Conflict,
    /// The operator lacks a right: installing its roles helps.
    LacksRight,
    /// The cluster has judged the object: a quota, an admission policy, a webhook or a rule of its own refuses it.
    Refused,
    /// The definition of the resource does not know a field that was sent.
    UnknownField,
    /// It passes by itself, or says nothing: the request is repeated.
    Passing,
}

/// Classifies a failed request.
pub fn of(error: &kube::Error) -> Answer {
    match error {
        kube::Error::Api(status) => of_status(status),
        _ => Answer::Passing,
    }
}

fn of_status(status: &Status) -> Answer {
    match status.code {
        404 => Answer::NotFound,
        409 => Answer::Conflict,
        403 if lacks_right(status) => Answer::LacksRight,
        // The answer to an application with a field that the schema lacks; servers differ in the code.
        400 | 500 if status.message.contains("field not declared in schema") => Answer::UnknownField,
        400 | 403 | 422 => Answer::Refused,
        _ => Answer::Passing,
    }
}

/// Quotas, policies and webhooks answer 403 as well. The authorizer names the user who asks; owner references are
/// refused when the operator could not delete the object, or finalize the store.
fn lacks_right(status: &Status) -> bool {
    let why = status
        .message
        .split_once("forbidden: ")
        .map_or(status.message.as_str(), |(_, why)| why);
    (why.starts_with("User \"") && why.contains("\" cannot "))
        || why.starts_with("cannot set an ownerRef on a resource you can't delete")
        || why.starts_with("cannot set blockOwnerDeletion")
}

/// Whether a Deployment is refused because of the parameters of a rolling update, which somebody else set.
pub fn forbids_rolling_update(error: &kube::Error) -> bool {
    const FIELD: &str = "spec.strategy.rollingUpdate";
    let kube::Error::Api(status) = error else {
        return false;
    };
    let causes = status
        .details
        .iter()
        .flat_map(|details| &details.causes)
        .any(|cause| cause.field == FIELD);
    status.code == 422 && (causes || status.message.contains(FIELD))
}

/// Whether a Pod could not be made because its ServiceAccount does not exist, as the Deployment's condition tells.
pub fn misses_service_account(failure: &str) -> bool {
    failure.contains("error looking up service account")
}

/// The server's words, for people.
pub fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "a literal")]
    fn error(code: u16, reason: &str, message: &str, details: Value) -> kube::Error {
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "code": code, "reason": reason, "message": message, "details": details});
        kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()))
    }

    fn answer(code: u16, reason: &str, message: &str) -> Answer {
        of(&error(code, reason, message, json!({})))
    }

    #[test]
    fn given_answers_of_an_api_server_when_classified_then_missing_rights_are_told_from_verdicts() {
        for (code, reason, message, expected) in [
            (
                403,
                "Forbidden",
                "deployments.apps \"store\" is forbidden: User \"system:serviceaccount:a:operator\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"a\"",
                Answer::LacksRight,
            ),
            (
                403,
                "Forbidden",
                "services is forbidden: User \"system:serviceaccount:a:operator\" cannot list resource \"services\" in API group \"\" in the namespace \"a\"",
                Answer::LacksRight,
            ),
            (
                403,
                "Forbidden",
                "secrets \"store-admin\" is forbidden: cannot set an ownerRef on a resource you can't delete: , <nil>",
                Answer::LacksRight,
            ),
            (
                403,
                "Forbidden",
                "persistentvolumeclaims \"data-store\" is forbidden: exceeded quota: storage, requested: requests.storage=20Gi, used: requests.storage=0, limited: requests.storage=1Gi",
                Answer::Refused,
            ),
            (
                403,
                "Forbidden",
                "services \"store\" is forbidden: ValidatingAdmissionPolicy 'no-lb' with binding 'no-lb' denied request: a User \"x\" cannot have a load balancer",
                Answer::Refused,
            ),
            (
                403,
                "Forbidden",
                "admission webhook \"images.example.com\" denied the request: registry is not trusted",
                Answer::Refused,
            ),
            (
                403,
                "Forbidden",
                "persistentvolumeclaims \"data-store\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
                Answer::Refused,
            ),
            (
                422,
                "Invalid",
                "Deployment.apps \"store\" is invalid: spec.template.spec.containers[0].name: Required value",
                Answer::Refused,
            ),
            (
                400,
                "BadRequest",
                "Deployment in version \"v1\" cannot be handled",
                Answer::Refused,
            ),
            (
                409,
                "Conflict",
                "Precondition failed: UID in precondition: a, UID in object meta: b",
                Answer::Conflict,
            ),
            (
                404,
                "NotFound",
                "the server could not find the requested resource",
                Answer::NotFound,
            ),
            (
                500,
                "InternalError",
                "failed to create manager for existing fields: .status.x: field not declared in schema",
                Answer::UnknownField,
            ),
            (
                500,
                "InternalError",
                "etcdserver: request timed out",
                Answer::Passing,
            ),
            (
                429,
                "TooManyRequests",
                "too many requests, please try again later",
                Answer::Passing,
            ),
            (
                503,
                "ServiceUnavailable",
                "the server is currently unable to handle the request",
                Answer::Passing,
            ),
        ] {
            assert_eq!(answer(code, reason, message), expected, "{message}");
        }
    }

    #[test]
    fn given_a_refused_rolling_update_when_classified_then_the_field_decides() {
        let cause = json!({"causes": [{"reason": "FieldValueForbidden", "message": "Forbidden: may not be specified when strategy `type` is 'Recreate'",
            "field": "spec.strategy.rollingUpdate"}]});
        assert!(forbids_rolling_update(&error(
            422,
            "Invalid",
            "Deployment.apps is invalid",
            cause
        )));
        assert!(!forbids_rolling_update(&error(
            422,
            "Invalid",
            "Deployment.apps is invalid: spec.replicas",
            json!({})
        )));
    }

    #[test]
    fn given_a_pod_that_cannot_be_made_when_its_account_is_missing_then_that_is_told() {
        assert!(misses_service_account(
            "pods \"store-5b-\" is forbidden: error looking up service account a/store: serviceaccount \"store\" not found"
        ));
        assert!(!misses_service_account(
            "pods \"store-5b-\" is forbidden: exceeded quota: pods of serviceaccounts"
        ));
    }
}
