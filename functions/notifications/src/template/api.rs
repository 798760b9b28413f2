//! Texts of the organisation: written, looked at with sample data, sent to oneself, published.

use super::{MessageTemplate, RenderFault, Status, check, fields_of, render};
use crate::{
    carrier::Outgoing,
    catalogue,
    desk::Desk,
    fan_out::make_surroundings,
    people, rule, spelling,
    template::to_text,
    words::{self, Channel, Medium},
};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use kernel::{Error, MessageTemplateId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use store::Record;
use web::{
    Answer, At, Body, Ctx, Raw, Route, Shown,
    noun::{self, Hooks, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/notifications/templates";

pub fn routes(desk: &Arc<Desk>) -> Vec<Route> {
    let (view, edit) = ("message_template.view", "message_template.edit");
    let (a, b, c) = (desk.clone(), desk.clone(), desk.clone());
    let amended = move |ctx: Ctx, id: At<MessageTemplateId>, body: Raw| {
        let desk = a.clone();
        async move { forgetting(&desk, ctx, |ctx| noun::amend::<MessageTemplate>(ctx, id, body)).await }
    };
    let tried = move |ctx: Ctx, id: At<MessageTemplateId>, body: Body<Sample>| {
        let desk = b.clone();
        async move { send_test(&desk, ctx, id, body).await }
    };
    let mut routes = vec![
        route(Method::GET, PATH, view, "message_template.list", get(noun::list::<MessageTemplate>))
            .asks_shape(noun::list_shape::<MessageTemplate>)
            .gives::<Pages<View<'static, MessageTemplate>>>(200)
            .trips(1)
            .says("The organisation's own texts"),
        route(Method::GET, format!("{PATH}/codes"), view, "message_template.codes", get(codes))
            .gives::<Pages<Code>>(200)
            .trips(1)
            .says("Codes of the product's texts, with what each may name"),
        route(Method::POST, PATH, edit, "message_template.create", post(noun::create::<MessageTemplate>))
            .takes::<MessageTemplate>()
            .gives::<View<'static, MessageTemplate>>(201)
            .trips(1)
            .refuses(&["template-invalid", "unknown-event"])
            .says("A text of one's own, checked against what its event carries"),
        route(Method::PATCH, format!("{PATH}/{{id}}"), edit, "message_template.update", patch(amended))
            .patches::<MessageTemplate>()
            .gives::<View<'static, MessageTemplate>>(200)
            .trips(2)
            .refuses(&["template-invalid", "reason-required"])
            .says("Changes the words; of a published one with a reason"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/preview"),
            view,
            "message_template.preview",
            post(preview),
        )
        .takes::<Sample>()
        .gives::<Preview>(200)
        .trips(2)
        .refuses(&["template-invalid"])
        .says("The text with sample data"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/send_test"),
            edit,
            "message_template.send_test",
            post(tried),
        )
        .takes::<Sample>()
        .gives::<Preview>(200)
        .trips(3)
        .refuses(&["no-address", "not-sent"])
        .says("Sends it to oneself, and to nobody else"),
    ];
    routes.extend(noun::reading::<MessageTemplate>(PATH, view));
    routes.extend(noun::steps::<MessageTemplate>(PATH).into_iter().map(|r| stepping(r, &c)));
    routes
}

/// A published or retired text is used from the next message on.
fn stepping(route: Route, desk: &Arc<Desk>) -> Route {
    let desk = desk.clone();
    let command = if route.path.ends_with("/publish") { 0 } else { 1 };
    let handler = move |ctx: Ctx, At(id): At<MessageTemplateId>, body: Raw| {
        let desk = desk.clone();
        async move {
            let step = &<MessageTemplate as kernel::Lifecycle>::STEPS[command];
            forgetting(&desk, ctx, |ctx| noun::command::<MessageTemplate>(ctx, id, body, step)).await
        }
    };
    route.handled_by(post(handler))
}

async fn forgetting<F: Future<Output = Answer>>(
    desk: &Desk,
    ctx: Ctx,
    work: impl FnOnce(Ctx) -> F,
) -> Answer {
    let scope = ctx.scope();
    let answer = work(ctx).await;
    desk.forget(scope);
    answer
}

impl Hooks for MessageTemplate {
    fn before(ctx: &Ctx, action: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        let t = &mut new.body;
        let of_product: Vec<_> = rule::shipped().iter().filter(|r| r.template() == t.code).collect();
        let events: Vec<&str> = match (of_product.is_empty(), &t.event) {
            (false, _) => of_product.iter().map(|r| r.event.as_str()).collect(),
            (true, Some(event)) => vec![known(event)?],
            (true, None) => {
                let detail = "the product has no text of this code: name the event whose fields it may use";
                return Err(Error::field("required", "/event", detail));
            }
        };
        if let Some(rule) = of_product.first() {
            t.category = rule.category;
            t.event = Some(rule.event.clone());
        }
        if !words::reached(ctx, t.category) {
            let detail = "your role writes the texts of its own work";
            return Err(Error::forbidden("not-your-category", detail));
        }
        if let Some(old) = old
            && action == "update"
        {
            moved(ctx, old, t)?;
        }
        check(&t.text(), t.medium, &fields_of(&events)).map_err(invalid)
    }
}

/// What a text is of stays; a published one changes with a reason, a retired one not at all.
fn moved(ctx: &Ctx, old: &Record<MessageTemplate>, new: &MessageTemplate) -> Result<()> {
    let was = &old.body;
    if (&was.code, was.medium, &was.language) != (&new.code, new.medium, &new.language) {
        let detail = "for another code, medium or language write another text";
        return Err(Error::field("fixed", "/code", detail));
    }
    match was.status {
        Status::Draft => Ok(()),
        Status::Published => ctx.needs_reason(None).map(drop),
        Status::Retired => Err(Error::State { command: "update", state: was.status.to_string() }),
    }
}

fn known(event: &str) -> Result<&'static str> {
    catalogue::names().find(|name| *name == event).ok_or_else(|| {
        let all: Vec<&str> = catalogue::names().collect();
        let detail = format!("there is no event {event}{}", spelling::nearest(event, &all));
        Error::field("unknown-event", "/event", detail)
    })
}

fn invalid(fault: RenderFault) -> Error {
    let detail = format!("line {}: {}", fault.line, fault.detail);
    Error::field("template-invalid", "/body", detail).with("line", fault.line)
}

#[derive(Serialize, JsonSchema)]
struct Code {
    code: &'static str,
    category: words::Category,
    /// Names under `data`.
    fields: Vec<String>,
}

async fn codes(ctx: Ctx) -> Answer {
    let code = |code: &'static str| {
        let rules: Vec<_> = rule::shipped().iter().filter(|r| r.template() == code).collect();
        let events: Vec<&str> = rules.iter().map(|r| r.event.as_str()).collect();
        let category = rules.first()?.category;
        Some(Code { code, category, fields: fields_of(&events).into_iter().map(|(name, _)| name).collect() })
    };
    let data = super::codes().filter_map(code).filter(|c| words::reached(&ctx, c.category)).collect();
    ok(&Pages { data, next: None })
}

#[derive(Deserialize, JsonSchema)]
struct Sample {
    /// Values instead of the samples of the event.
    #[schemars(extend("maxProperties" = 40))]
    data: Option<Map<String, Value>>,
}

#[derive(Serialize, JsonSchema)]
struct Preview {
    title: String,
    body: String,
    /// Parts of an SMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<u32>,
}

async fn rendered(
    ctx: &Ctx,
    template: &MessageTemplate,
    sample: Sample,
) -> Result<(people::Person, Preview)> {
    let me = people::read(ctx, &[ctx.actor().user.clone()]).await?.into_iter().next();
    let me = me.ok_or_else(|| Error::field("no-address", "", "your own account has no contact yet"))?;
    let mut data = fields_of(&[template.event.as_deref().unwrap_or_default()]);
    data.extend(sample.data.unwrap_or_default());
    let around = make_surroundings(ctx, &me, None, ctx.app().place().public_url.clone())?;
    let words = render(&template.text(), template.medium, &around, &Value::Object(data)).map_err(invalid)?;
    let segments = (template.medium == Medium::Sms).then(|| super::sms::segments(&words.body));
    Ok((me, Preview { title: words.title, body: words.body, segments }))
}

async fn preview(ctx: Ctx, At(id): At<MessageTemplateId>, Body(sample): Body<Sample>) -> Answer {
    let template = ctx.get::<MessageTemplate>(id).await?;
    ok(&rendered(&ctx, &template.body, sample).await?.1)
}

/// By the same carrier that would send it to others.
async fn send_test(
    desk: &Desk,
    ctx: Ctx,
    At(id): At<MessageTemplateId>,
    Body(sample): Body<Sample>,
) -> Answer {
    let template = ctx.get::<MessageTemplate>(id).await?;
    let (me, made) = rendered(&ctx, &template.body, sample).await?;
    let channel = match template.body.medium {
        Medium::Email => Channel::Email,
        Medium::Sms => Channel::Sms,
        Medium::InApp | Medium::Push => {
            return Err(Error::field("no-address", "", "only letters and SMS are sent as a test").into());
        }
    };
    let to = me
        .address(channel)
        .ok_or_else(|| Error::field("no-address", "", "your account has no address for it"))?;
    let html = (channel == Channel::Email).then(|| made.body.clone());
    let out = Outgoing {
        key: format!("test-{id}-{}", ctx.now().as_millisecond()),
        tenant: ctx.scope().to_string(),
        to: to.into(),
        from: ctx.tenant()?.name.clone(),
        subject: made.title.clone(),
        text: html.as_deref().map_or_else(|| made.body.clone(), to_text),
        html,
        ..Outgoing::default()
    };
    let sent = desk.carrier(channel).send(&out).await;
    sent.map_err(|e| Error::conflict("not-sent", format!("the provider did not take it: {}", e.code())))?;
    Ok(Shown::of(200, &made)?.respond())
}
