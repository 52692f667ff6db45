//! helm: package, push, show and pull a chart.

use crate::workstation::{PASSWORD, USER, Workstation, assert_same_file};

const CHART: &str = "apiVersion: v2\nname: greeter\ndescription: says hello\ntype: application\nversion: 0.2.0+build.7\nappVersion: \"1.0\"\n";
const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting | quote }}\n";

fn write_chart(station: &Workstation) {
    station.write("greeter/Chart.yaml", CHART);
    station.write("greeter/values.yaml", "greeting: hello\n");
    station.write("greeter/templates/greeting.yaml", TEMPLATE);
}

#[test]
fn given_tls_and_a_login_when_a_chart_is_pushed_then_it_is_shown_pulled_and_rendered() {
    // Given a chart whose version needs translation into a tag: + becomes _
    let station = Workstation::with_tls();
    let login = [
        "registry",
        "login",
        "-u",
        USER,
        "--password-stdin",
        &station.registry(),
    ];
    station.run_with_input("helm", &login, PASSWORD);
    write_chart(&station);
    station.run("helm", &["package", "greeter"]);
    let package = "greeter-0.2.0+build.7.tgz";
    let charts = format!("oci://{}", station.reference("charts"));
    let chart = format!("{charts}/greeter");

    // When
    station.run("helm", &["push", package, &charts]);

    // Then
    let shown = station.run("helm", &["show", "chart", &chart, "--version", "0.2.0+build.7"]);
    assert!(shown.contains("description: says hello"), "{shown}");
    station.run(
        "helm",
        &[
            "pull",
            &chart,
            "--version",
            "0.2.0+build.7",
            "-d",
            &station.argument(""),
        ],
    );
    station.run(
        "helm",
        &[
            "pull",
            &chart,
            "-d",
            &station.argument(""),
            "--untar",
            "--untardir",
            "unpacked",
        ],
    );
    assert_same_file(
        &station.path("greeter/values.yaml"),
        &station.path("unpacked/greeter/values.yaml"),
    );
    let rendered = station.run("helm", &["template", "mine", &chart, "--set", "greeting=servus"]);
    assert!(
        rendered.contains("name: mine") && rendered.contains("greeting: \"servus\""),
        "{rendered}"
    );
    station
        .http()
        .head("/v2/charts/greeter/manifests/0.2.0_build.7")
        .send()
        .expect_status(200);
}

#[test]
fn given_no_login_when_a_chart_is_pushed_then_refused() {
    let station = Workstation::with_tls();
    write_chart(&station);
    station.run("helm", &["package", "greeter"]);
    let charts = format!("oci://{}", station.reference("charts"));
    station.run_refused("helm", &["push", "greeter-0.2.0+build.7.tgz", &charts]);
    let wrong = [
        "registry",
        "login",
        "-u",
        USER,
        "-p",
        "wrong",
        &station.registry(),
    ];
    station.run_refused("helm", &wrong);
}
