//! The words of a delivery, and the envelope around them.

use super::{Look, Message};
use crate::{
    carrier::{Outgoing, Subscription, web_push::vapid},
    delivery::Delivery,
    desk::{Chosen, Desk, Known},
    fan_out::make_surroundings as surroundings,
    notification::Notification,
    push_endpoint,
    template::{self, Surroundings, Text, Wording, render, sms, to_html, to_text},
    words::{Category, Channel, Medium, Priority},
};
use jiff::SignedDuration;
use kernel::Result;
use serde_json::Value;
use store::{Key, Record, facts};
use web::Ctx;

/// Why a text could not be made; stands in the delivery.
type Code = String;

/// One message, or one for each device. An error of the inner sort is the delivery's fate.
pub async fn write(
    desk: &Desk,
    ctx: &Ctx,
    of: &Record<Delivery>,
    look: &Look,
) -> Result<std::result::Result<Vec<Message>, Code>> {
    let known = desk.known(ctx).await?;
    let discreet = discreet(ctx, &of.body, look).await?;
    let first = &look.told[0];
    let link = match look.person.has_login {
        true => format!("{}/n/{}", ctx.app().place().public_url, first.id),
        false => String::new(),
    };
    let around = surroundings(ctx, &look.person, look.about.as_ref(), link)?;
    let (words, chosen) = match wording(ctx, &known, of, look, &around, discreet)? {
        Ok(made) => made,
        Err(code) => return Ok(Err(code)),
    };
    let out = envelope(ctx, of, look, &around, &words)?;
    let message = |out: Outgoing, endpoint| Message {
        parts: if of.body.channel == Channel::Sms { sms::segments(&out.text) } else { 1 },
        out,
        endpoint,
        template: first.body.template.clone(),
        template_version: chosen.version,
        language: chosen.language.clone(),
    };
    if of.body.channel != Channel::Push {
        let to = look.person.address(of.body.channel).map(String::from);
        return Ok(Ok(to.map(|to| message(Outgoing { to, ..out }, None)).into_iter().collect()));
    }
    let devices = push_endpoint::of(ctx, &look.person.id).await?;
    let identity = match devices.iter().any(|d| d.body.keys.is_some()) {
        true => Some(vapid::of(ctx).await?),
        false => None,
    };
    let each = devices.into_iter().map(|device| {
        let keys = device.body.keys.clone().zip(identity.clone());
        let subscription = keys.map(|(keys, identity)| Subscription { keys, identity });
        let to = device.body.token.0.clone();
        message(Outgoing { to, subscription, ..out.clone() }, Some(device))
    });
    Ok(Ok(each.collect()))
}

/// Outside of the product nothing clinical is named; a letter may, with the person's recorded consent.
async fn discreet(ctx: &Ctx, delivery: &Delivery, look: &Look) -> Result<bool> {
    if !look.told.iter().any(|n| n.body.category.is_discreet()) {
        return Ok(false);
    }
    if delivery.channel != Channel::Email || look.told.iter().any(|n| n.body.category == Category::Programme)
    {
        return Ok(true);
    }
    let consent = format!("{}~detailed_messages", look.person.id);
    let given: Option<Value> = ctx.store().read(&Key::fact(facts::CONSENT, consent)).await?;
    Ok(given.is_none())
}

type Made = std::result::Result<(Wording, Chosen), Code>;

fn wording(
    ctx: &Ctx,
    known: &Known,
    of: &Record<Delivery>,
    look: &Look,
    around: &Surroundings,
    discreet: bool,
) -> Result<Made> {
    let medium = Medium::from(of.body.channel);
    let (language, own) = (&look.person.language, &ctx.tenant()?.language);
    let shipped = |text: Text| Chosen { text, language: language.clone(), version: None };
    let first = &look.told[0].body;
    let chosen = match (discreet, look.told.len()) {
        (true, _) => Some(shipped(template::discreet(language))),
        (false, 1) => known.text(&first.template, medium, language, own),
        (false, _) => Some(shipped(digest(language, &look.told))),
    };
    let Some(chosen) = chosen else { return Ok(Err("no-text".into())) };
    let data = Value::Object(first.data.clone());
    // The product's own texts are plain; an organisation's e-mails are HTML as they are written.
    let rendered = match (medium, chosen.version) {
        (Medium::Email, None) => {
            let plain = render(&chosen.text, Medium::Sms, around, &data);
            plain.map(|w| Wording { title: w.title, body: to_html(&w.body) })
        }
        _ => render(&chosen.text, medium, around, &data),
    };
    Ok(match rendered {
        Ok(words) => Ok((words, chosen)),
        Err(fault) => {
            tracing::warn!(
                template = first.template,
                line = fault.line,
                detail = fault.detail,
                "does not render"
            );
            Err("render".into())
        }
    })
}

/// Several at once: one heading, one line for each.
fn digest(language: &str, told: &[Record<Notification>]) -> Text {
    let escape = |text: &str| text.replace("{{", "{ {").replace("{%", "{ %").replace("{#", "{ #");
    let lines: Vec<String> = told
        .iter()
        .map(|n| match n.body.times {
            0 | 1 => format!("– {}: {}", *n.body.title, *n.body.body),
            times => format!("– {} ({times}×): {}", *n.body.title, *n.body.body),
        })
        .collect();
    Text { title: template::digest_title(language).into(), body: escape(&lines.join("\n")) }
}

fn envelope(
    ctx: &Ctx,
    of: &Record<Delivery>,
    look: &Look,
    around: &Surroundings,
    words: &Wording,
) -> Result<Outgoing> {
    let first = &look.told[0];
    let ids = [
        ("notification", first.id.to_string()),
        ("category", first.body.category.to_string()),
        ("priority", first.body.priority.to_string()),
        ("record", first.body.record.clone()),
    ];
    let is_letter = of.body.channel == Channel::Email;
    let unsubscribe = if is_letter && may_leave(&of.body) { Some(leave(ctx, of)?) } else { None };
    let html = is_letter.then(|| layout(around, words));
    Ok(Outgoing {
        key: of.id.to_string(),
        tenant: ctx.scope().to_string(),
        to: String::new(),
        from: around.organisation.clone(),
        subject: words.title.clone(),
        text: html.as_deref().map_or_else(|| words.body.clone(), to_text),
        html,
        unsubscribe,
        data: ids.map(|(name, value)| (name.to_string(), value)).to_vec(),
        subscription: None,
    })
}

/// The frame of every letter is ours.
fn layout(around: &Surroundings, words: &Wording) -> String {
    let name = to_html(&around.organisation);
    let link = match around.link.as_str() {
        "" => String::new(),
        link => format!("<p><a href=\"{link}\">{link}</a></p>"),
    };
    format!(
        "<!doctype html><html lang=\"{}\"><body style=\"font-family:sans-serif;max-width:40em\">{}{link}<hr>{name}</body></html>",
        around.language.replace('"', ""),
        words.body
    )
}

/// All but account, critical and clinical messages can be ended by one click.
fn may_leave(delivery: &Delivery) -> bool {
    !delivery.category.is_account()
        && delivery.priority != Priority::Critical
        && delivery.category != Category::Clinical
}

/// A link that ends the letters of this category: sealed, and good for half a year.
fn leave(ctx: &Ctx, of: &Record<Delivery>) -> Result<String> {
    let until = ctx.now() + SignedDuration::from_hours(180 * 24);
    let minted = ctx.app().mint(ctx.store(), crate::preferences::LEAVE, of.id, until)?;
    let token = minted.url.rsplit('/').next().unwrap_or_default().to_string();
    Ok(format!("{}/v1/notifications/unsubscribe/{token}", ctx.app().place().public_url))
}
