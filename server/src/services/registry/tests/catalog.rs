use super::{any_tags, image, repository, world};
use crate::services::auth::Readable;
use crate::services::registry::PushManifest;

#[tokio::test]
async fn given_many_repositories_when_paged_with_a_filter_then_each_readable_one_appears_once_in_order() {
    // Given
    let world = world();
    for number in 0..30 {
        let name = repository(&format!("team{}/app{number:02}", number % 3));
        let config = world.push(&name, b"{}").await;
        let push = PushManifest {
            grant: any_tags(&name),
            digest: None,
            tags: vec!["latest".parse().unwrap()],
            media_type: None,
            body: image(&config, &[], ""),
        };
        world.registry.push_manifest(push).await.unwrap();
    }

    // When
    let mut seen = Vec::new();
    let mut last: Option<String> = None;
    loop {
        let readable = Readable::in_test(|name| name.as_str().starts_with("team1/"));
        let page = world
            .registry
            .list_repositories(last.as_deref(), Some(3), &readable)
            .await
            .unwrap();
        assert!(page.repositories.len() <= 3);
        seen.extend(page.repositories.iter().map(ToString::to_string));
        let Some(next) = page.next else { break };
        last = Some(next.to_string());
    }

    // Then
    let expected: Vec<String> = (0..30)
        .filter(|n| n % 3 == 1)
        .map(|n| format!("team1/app{n:02}"))
        .collect();
    assert_eq!(seen, expected);
    let none = world
        .registry
        .list_repositories(None, Some(0), &Readable::in_test(|_| true))
        .await
        .unwrap();
    assert_eq!((none.repositories.len(), none.next), (0, None));
}
