//! Sizes and durations have the value that Kubernetes and Prometheus give them; conditions their spelling.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Volume, VolumeMount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde_json::{Value, json};
use zas_crd::{
    ConditionReason, ConditionStatus, ConditionType, ExtraVolume, ExtraVolumeMount, Size, TimeSpan,
    ZotArtifactStoreStatus,
};

#[test]
fn given_sizes_when_they_are_read_then_units_of_1000_and_1024_differ() {
    let cases = [
        ("1", 1),
        ("5k", 5_000),
        ("5Ki", 5_120),
        ("4M", 4_000_000),
        ("4Mi", 4_194_304),
        ("20G", 20_000_000_000),
        ("20Gi", 21_474_836_480),
        ("2T", 2_000_000_000_000),
        ("2Ti", 2_199_023_255_552),
        ("3P", 3_000_000_000_000_000),
        ("3Pi", 3_377_699_720_527_872),
    ];
    for (text, bytes) in cases {
        assert_eq!(Size::new(text).bytes(), Ok(bytes), "{text}");
    }
}

#[test]
fn given_texts_that_are_no_sizes_when_they_are_read_then_the_error_shows_text_and_form() {
    for text in [
        "", "0", "0Gi", "01Gi", "-1", "1.5Gi", "Gi", "1gi", "1 Gi", "9000Pi0", "99999Pi", "1Ei",
    ] {
        let error = Size::new(text).bytes().unwrap_err().to_string();
        assert!(error.starts_with(&format!("\"{text}\" is not a size")), "{error}");
    }
}

#[test]
fn given_durations_when_they_are_read_then_their_parts_add_up() {
    let cases = [
        ("0s", 0, "0s"),
        ("250ms", 250, "250ms"),
        ("90s", 90_000, "1m30s"),
        ("90m", 5_400_000, "1h30m"),
        ("1h30m", 5_400_000, "1h30m"),
        ("30m1h", 5_400_000, "1h30m"),
        ("2160h", 7_776_000_000, "2160h"),
        ("1s1500ms", 2_500, "2s500ms"),
    ];
    for (text, milliseconds, canonical) in cases {
        assert_eq!(
            TimeSpan::new(text).duration(),
            Ok(Duration::from_millis(milliseconds)),
            "{text}"
        );
        assert_eq!(
            TimeSpan::new(text).canonical().as_deref(),
            Ok(canonical),
            "{text}"
        );
    }
}

#[test]
fn given_texts_that_are_no_durations_when_they_are_read_then_the_error_shows_text_and_form() {
    for text in [
        "",
        "1",
        "1d",
        "h",
        "1h 1m",
        "-1h",
        "1.5h",
        "9999999h",
        "99999999999999999999s",
    ] {
        let error = TimeSpan::new(text).duration().unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("\"{text}\" is not a duration")),
            "{error}"
        );
    }
}

#[test]
fn given_a_size_and_a_duration_when_they_are_serialised_then_they_are_plain_texts() {
    assert_eq!(serde_json::to_value(Size::new("1Gi")).unwrap(), json!("1Gi"));
    assert_eq!(
        serde_json::from_value::<TimeSpan>(json!("1h")).unwrap(),
        TimeSpan::new("1h")
    );
    assert_eq!(
        (Size::new("1Gi").to_string(), TimeSpan::new("1h").to_string()),
        ("1Gi".to_owned(), "1h".to_owned())
    );
    assert_eq!(
        (Size::new("1Gi").as_str(), TimeSpan::new("1h").as_str()),
        ("1Gi", "1h")
    );
}

#[test]
fn given_condition_types_when_they_are_listed_then_they_are_those_of_the_contract() {
    let names: Vec<_> = ConditionType::ALL.iter().map(ToString::to_string).collect();
    let contract = [
        "Ready",
        "Available",
        "Progressing",
        "Degraded",
        "Paused",
        "UpdateAvailable",
        "ExposureReady",
        "StorageReady",
    ];
    assert_eq!(names, contract);
}

#[test]
fn given_reasons_when_they_are_listed_then_each_is_a_valid_reason_with_a_meaning() {
    let names: BTreeSet<_> = ConditionReason::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), ConditionReason::ALL.len());
    for reason in ConditionReason::ALL {
        let name = reason.as_str();
        assert!(
            name.starts_with(|letter: char| letter.is_ascii_uppercase()),
            "{name}"
        );
        assert!(
            name.chars().all(|letter| letter.is_ascii_alphanumeric()),
            "{name}"
        );
        assert!(
            reason.meaning().ends_with('.') && !reason.meaning().starts_with(' '),
            "{name}"
        );
    }
}

#[test]
fn given_a_status_when_a_condition_is_looked_up_then_it_is_found_by_its_type() {
    let ready = Condition {
        type_: ConditionType::Ready.to_string(),
        status: ConditionStatus::from(true).to_string(),
        reason: ConditionReason::AsExpected.to_string(),
        message: String::new(),
        observed_generation: Some(1),
        last_transition_time: Time(Default::default()),
    };
    let status = ZotArtifactStoreStatus {
        conditions: vec![ready],
        ..ZotArtifactStoreStatus::default()
    };
    assert_eq!(status.condition(ConditionType::Ready).unwrap().status, "True");
    assert!(status.condition(ConditionType::Degraded).is_none());
    assert_eq!(ConditionStatus::from(false).as_str(), "False");
    assert_eq!(ConditionStatus::Unknown.as_str(), "Unknown");
}

#[test]
fn given_enums_of_kubernetes_when_they_are_spelled_then_text_and_schema_agree() {
    use zas_crd::{
        AccessMode, Action, ExternalTrafficPolicy, ImagePullPolicy, IpFamilyPolicy, LogLevel,
        RouteTermination, ServiceType,
    };
    fn agrees<T: serde::Serialize + Copy>(values: &[T], spelled: fn(T) -> &'static str) {
        for value in values {
            assert_eq!(serde_json::to_value(value).unwrap(), Value::from(spelled(*value)));
        }
    }
    agrees(
        &[AccessMode::ReadWriteOnce, AccessMode::ReadWriteOncePod],
        AccessMode::as_str,
    );
    agrees(
        &[
            Action::Read,
            Action::Create,
            Action::Update,
            Action::Delete,
            Action::DetectManifestCollision,
        ],
        Action::as_str,
    );
    agrees(
        &[ExternalTrafficPolicy::Cluster, ExternalTrafficPolicy::Local],
        ExternalTrafficPolicy::as_str,
    );
    agrees(
        &[
            ImagePullPolicy::Always,
            ImagePullPolicy::IfNotPresent,
            ImagePullPolicy::Never,
        ],
        ImagePullPolicy::as_str,
    );
    agrees(
        &[
            IpFamilyPolicy::SingleStack,
            IpFamilyPolicy::PreferDualStack,
            IpFamilyPolicy::RequireDualStack,
        ],
        IpFamilyPolicy::as_str,
    );
    agrees(
        &[
            LogLevel::Error,
            LogLevel::Warn,
            LogLevel::Info,
            LogLevel::Debug,
            LogLevel::Trace,
        ],
        LogLevel::as_str,
    );
    agrees(
        &[
            RouteTermination::Edge,
            RouteTermination::Reencrypt,
            RouteTermination::Passthrough,
        ],
        RouteTermination::as_str,
    );
    agrees(
        &[
            ServiceType::ClusterIp,
            ServiceType::NodePort,
            ServiceType::LoadBalancer,
        ],
        ServiceType::as_str,
    );
}

#[test]
fn given_an_extra_volume_and_its_mount_when_they_become_kubernetes_types_then_nothing_is_lost() {
    let volume = json!({ "name": "a", "csi": { "driver": "example.com" } });
    let extra: ExtraVolume = serde_json::from_value(volume.clone()).unwrap();
    assert_eq!(serde_json::to_value(Volume::from(extra)).unwrap(), volume);

    let mount = json!({ "name": "a", "mountPath": "/opt", "subPath": "b", "readOnly": true });
    let extra: ExtraVolumeMount = serde_json::from_value(mount.clone()).unwrap();
    assert_eq!(serde_json::to_value(VolumeMount::from(extra)).unwrap(), mount);
}
