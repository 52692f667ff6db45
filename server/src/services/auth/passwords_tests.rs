use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const START: Timestamp = Timestamp::from_millis(1_000_000);
const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn sign_in(cost: u32) -> SignIn {
    let users = Htpasswd::parse(format!("alice:{}", bcrypt::hash("secret", cost).unwrap()).as_bytes());
    let limit = AttemptLimit {
        count: 2,
        window: MINUTE,
    };
    SignIn {
        users,
        are_users_known: true,
        administrator: None,
        remember_for: MINUTE,
        limit,
    }
}

async fn verify(
    passwords: &Passwords,
    sign_in: &SignIn,
    user: &str,
    password: &str,
    now: Timestamp,
) -> Result<(), AuthenticationError> {
    passwords
        .verify(sign_in, &user.parse().unwrap(), password, CLIENT, now)
        .await
        .map(|principal| assert_eq!(principal.name(), user))
}

fn count(answers: &[Result<(), AuthenticationError>], expected: &Result<(), AuthenticationError>) -> usize {
    answers.iter().filter(|answer| *answer == expected).count()
}

#[tokio::test]
async fn given_a_good_password_when_verified_then_held_until_its_time_or_its_hash_changes() {
    // Given
    let (passwords, before, after) = (Passwords::new([7; 32]), sign_in(4), sign_in(4));
    let held = |sign_in: &SignIn, password: &str, now: Timestamp| {
        let stored = sign_in.users.get("alice").unwrap();
        let key = passwords
            .keys
            .password(&"alice".parse().unwrap(), password, stored.text());
        passwords.verified.recall(&key, now).is_some()
    };

    // When
    verify(&passwords, &before, "alice", "secret", START)
        .await
        .unwrap();

    // Then
    assert!(held(&before, "secret", START.plus(MINUTE / 2)));
    assert!(!held(&before, "Secret", START));
    assert!(!held(&after, "secret", START));
    assert!(!held(&before, "secret", START.plus(MINUTE)));
    // The wall clock was set back.
    assert!(!held(&before, "secret", START.minus(MINUTE)));
}

#[tokio::test]
async fn given_bad_passwords_and_names_when_verified_then_rejected_and_nothing_is_remembered() {
    let (passwords, sign_in) = (Passwords::new([7; 32]), sign_in(4));
    for (user, password) in [("alice", "wrong"), ("eve", "secret"), ("bob", "")] {
        let answer = verify(&passwords, &sign_in, user, password, START).await;
        assert_eq!(answer, Err(AuthenticationError::Rejected), "{user}");
    }
    assert_eq!(passwords.verified.len(), 0);
    assert_eq!(passwords.running.len(), 0);
}

#[tokio::test]
async fn given_guesses_at_the_same_time_when_verified_then_no_more_than_the_limit_are_answered() {
    let (passwords, sign_in) = (Passwords::new([7; 32]), sign_in(4));
    let guesses: Vec<String> = (0..30).map(|number| format!("guess{number}")).collect();
    let answers = join_all(
        guesses
            .iter()
            .map(|guess| verify(&passwords, &sign_in, "alice", guess, START)),
    )
    .await;
    let slowed = Err(AuthenticationError::TooManyAttempts { retry_after: MINUTE });
    assert_eq!(count(&answers, &Err(AuthenticationError::Rejected)), 2);
    assert_eq!(count(&answers, &slowed), 28);

    // Not even the right password is compared then.
    assert_eq!(
        verify(&passwords, &sign_in, "alice", "secret", START).await,
        slowed
    );
}

#[tokio::test]
async fn given_the_same_password_many_times_at_once_when_verified_then_it_is_one_attempt() {
    let (passwords, sign_in) = (Passwords::new([7; 32]), sign_in(4));
    for (password, expected) in [("wrong", Err(AuthenticationError::Rejected)), ("secret", Ok(()))] {
        let answers = join_all((0..30).map(|_| verify(&passwords, &sign_in, "alice", password, START))).await;
        assert_eq!(count(&answers, &expected), 30, "{password}");
    }
    assert_eq!(passwords.running.len(), 0);
}

#[tokio::test]
async fn given_a_request_that_is_dropped_when_its_hash_is_computed_then_its_turn_and_its_count_stay() {
    // Given
    let (passwords, sign_in) = (Passwords::new([7; 32]), sign_in(10));

    // When
    let dropped = verify(&passwords, &sign_in, "alice", "wrong", START).now_or_never();

    // Then
    assert_eq!(dropped, None);
    assert_eq!(passwords.turns.available_permits(), AT_A_TIME - 1);
    assert_eq!(passwords.running.len(), 0);
    let _all = passwords.turns.acquire_many(AT_A_TIME as u32).await.unwrap();
    assert_eq!(passwords.attempts.len(), 1);
}

#[tokio::test]
async fn given_a_full_line_when_another_comes_then_refused_and_those_who_leave_are_not_counted() {
    // Given
    let (passwords, sign_in) = (Passwords::new([7; 32]), sign_in(4));
    // Polled this often without a pause, the runtime would make them wait for a turn of its own.
    let attempt =
        |user, password| tokio::task::unconstrained(verify(&passwords, &sign_in, user, password, START));
    let turns = passwords.turns.acquire_many(AT_A_TIME as u32).await.unwrap();
    let users: Vec<String> = (0..MAX_WAITING).map(|number| format!("user{number}")).collect();
    let mut waiting: Vec<_> = users.iter().map(|user| Box::pin(attempt(user, "x"))).collect();
    assert!(waiting.iter_mut().all(|request| request.now_or_never().is_none()));

    // When, then
    let refused = attempt("alice", "secret").now_or_never();
    assert!(
        matches!(refused, Some(Err(AuthenticationError::Unavailable(_)))),
        "{refused:?}"
    );
    drop(waiting);
    assert_eq!(passwords.attempts.len(), 0);
    drop(turns);
    assert_eq!(
        verify(&passwords, &sign_in, "alice", "secret", START).await,
        Ok(())
    );
}

#[test]
fn given_names_that_do_not_exist_when_they_sign_in_then_each_has_a_lasting_stand_in() {
    let [alice, bob] = [4, 5].map(|cost| bcrypt::hash("secret", cost).unwrap());
    let mut sign_in = sign_in(4);
    sign_in.users = Htpasswd::parse(format!("alice:{alice}\nbob:{bob}\n").as_bytes());
    assert_eq!(sign_in.stand_in(6).unwrap().text(), alice);
    assert_eq!(sign_in.stand_in(u64::MAX).unwrap().text(), bob);

    // The administrator is one of those who can be stood in for, and may be the only one.
    let directory = tempfile::tempdir().unwrap();
    let files = zas_config::Administrator {
        username_file: directory.path().join("username"),
        password_file: directory.path().join("password"),
        ..zas_config::Administrator::default()
    };
    std::fs::write(&files.username_file, "root").unwrap();
    std::fs::write(&files.password_file, "secret").unwrap();
    let administrator = Administrator::load(&files, &Keys::new([7; 32]), None).unwrap();
    sign_in.administrator = Some(administrator.clone());
    assert_eq!(sign_in.stand_in(5).unwrap(), administrator.hash());
    sign_in.users = Htpasswd::default();
    assert_eq!(sign_in.stand_in(6).unwrap(), administrator.hash());
    sign_in.administrator = None;
    assert!(sign_in.stand_in(6).is_none());
}
