//! Routes of appointments.

use super::{
    Appointment,
    book::{self, Booking},
    change::{self, Cancelled, Moved},
};
use crate::{of_patient, place::linked};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use kernel::Error;
use web::{
    Answer, Body, Ctx, Reach, Route,
    noun::{self, Pages, View},
    route,
};

const PATH: &str = "/v1/scheduling/appointments";
const VIEW: &str = "appointment.view";

type Shown = View<'static, Appointment>;

const BOOKING: &[&str] = &[
    "slot-taken",
    "patient-busy",
    "practitioner-away",
    "hold-expired",
    "patient-merged",
    "patient-deceased",
    "day-full",
    "not-a-slot",
    "in-the-past",
    "outside-availability",
    "too-far-ahead",
    "too-late-to-book",
    "not-cleared",
];

/// Self-booking's limits, approval of requests, the waiting list and the feeds come with SCH-4.
pub fn routes() -> Vec<Route> {
    let one = |command: &str| format!("{PATH}/{{id}}/{command}");
    let mut routes = vec![
        route(Method::GET, PATH, VIEW, "appointment.list", get(of_patient::list::<Appointment>))
            .asks_shape(noun::list_shape::<Appointment>)
            .gives::<Pages<Shown>>(200)
            .trips(1)
            .says("Appointments of a practitioner (or department) over time, or of a patient"),
        route(Method::POST, PATH, "appointment.create", "appointment.book", post(create))
            .takes::<Booking>()
            .gives::<Shown>(201)
            .trips(2)
            .refuses(BOOKING)
            .says("Books a slot; it is never sold twice. 409 names the three nearest free ones"),
        route(Method::POST, format!("{PATH}/holds"), "appointment.create", "appointment.hold", post(hold))
            .takes::<Booking>()
            .gives::<Shown>(201)
            .trips(2)
            .refuses(BOOKING)
            .refuses(&["too-many-holds"])
            .says("Keeps a slot for five minutes; book it with `hold`"),
        route(
            Method::PATCH,
            format!("{PATH}/{{id}}"),
            "appointment.reschedule",
            "appointment.update",
            patch(noun::amend::<Appointment>),
        )
        .patches::<Appointment>()
        .gives::<Shown>(200)
        .trips(2)
        .says("Changes reason and notes; time and place are moved by /reschedule"),
        route(
            Method::POST,
            one("reschedule"),
            "appointment.reschedule",
            "appointment.reschedule",
            post(change::reschedule),
        )
        .takes::<Moved>()
        .gives::<Shown>(200)
        .trips(3)
        .refuses(BOOKING)
        .refuses(&["already-arrived"])
        .says("scheduled, confirmed → scheduled elsewhere; the time common to both stays taken"),
        route(Method::POST, one("cancel"), "appointment.cancel", "appointment.cancel", post(change::cancel))
            .takes::<Cancelled>()
            .gives::<Shown>(200)
            .trips(2)
            .refuses(&["already-arrived"])
            .says("scheduled, confirmed → cancelled; the time is free again"),
    ];
    routes.extend(noun::reading::<Appointment>(PATH, VIEW));
    routes.extend(noun::steps::<Appointment>(PATH));
    routes
}

async fn create(ctx: Ctx, Body(booking): Body<Booking>) -> Answer {
    of_own(&ctx, &booking).await?;
    book::book(&ctx, &booking, false).await
}

async fn hold(ctx: Ctx, Body(booking): Body<Booking>) -> Answer {
    if booking.hold.is_some() {
        return Err(Error::invalid("/hold", "unknown", "a hold is booked, not held again").into());
    }
    of_own(&ctx, &booking).await?;
    book::book(&ctx, &booking, true).await
}

/// Who books for themselves or for whom they care names that patient. Self-booking's limits (three future
/// appointments, no-shows) belong to SCH-4, so it stays shut until they are there.
async fn of_own(ctx: &Ctx, booking: &Booking) -> kernel::Result<()> {
    if !matches!(ctx.reach(), Reach::Own | Reach::Linked) {
        return Ok(());
    }
    if !linked(ctx, booking.patient_id, "appointments").await? {
        return Err(Error::Missing);
    }
    Err(Error::forbidden("self-booking-not-open", "booking in the portal is not open yet; call the desk"))
}
