//! A provider of employee assistance by HTTP alone: the demo's organisation as `cargo run` makes it, and its people
//! with tokens from its login.

use local::{
    arguments::Arguments,
    demo::{self, Visitor, login::now},
    platform,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_demos_provider_has_clients_contracts_and_counsellors() {
    let data = std::env::temp_dir().join(format!("lumina-axis-{}", kernel::Ulid::new()));
    let arguments =
        Arguments { fresh: true, port: 0, data: Some(data.clone()), loopback_webhooks: false, token: None };
    let platform = platform::start(&arguments, &|line| println!("{line}")).await.unwrap();
    let made = demo::ready(&platform, &|line| println!("{line}")).await.unwrap().expect("a new folder");
    let door = Visitor::at(&platform.address).unwrap();
    let clock = &platform.around.clock;
    let person = async |who: &str| door.sign_in(made.who(who).expect(who), now(clock)).await.unwrap();

    let manager = person("axis/eap_manager").await;
    let clients = manager.get("/v1/eap/clients?status=active&is_verified=true&sort=name").await.unwrap();
    let zenith = &clients["data"][0];
    assert_eq!((&zenith["name"], &zenith["industry_name"]), (&"Zenith Mills".into(), &"Textiles".into()));
    assert_eq!(zenith["active_contracts_count"], 1);
    let providers = manager.get("/v1/eap/providers?status=approved").await.unwrap();
    assert_eq!(providers["data"].as_array().unwrap().len(), 2);

    let hauwa = person("axis/eap_client_contact").await;
    let own = hauwa.get("/v1/eap/clients").await.unwrap();
    assert_eq!(own["data"].as_array().unwrap().len(), 1, "{own}");
    let id = zenith["id"].as_str().unwrap();
    let contracts = hauwa.get(&format!("/v1/eap/contracts?client={id}")).await.unwrap();
    assert_eq!(contracts["data"][0]["status"], "active");
    let events = hauwa.get(&format!("/v1/eap/org_services?client={id}")).await.unwrap();
    assert_eq!(events["data"][0]["kind"], "training");

    platform.stop().await;
    std::fs::remove_dir_all(data).unwrap();
}
