//! The orders, and who may see them: every client with a certificate.

use axum::routing::get;
use axum::{Extension, Json, Router};
use serde::Serialize;

use crate::caller::Caller;

#[derive(Serialize)]
struct Order {
    number: u32,
    item: &'static str,
    quantity: u32,
}

#[derive(Serialize)]
struct Orders {
    caller: Caller,
    orders: [Order; 2],
}

pub fn routes() -> Router {
    Router::new().route("/orders", get(list))
}

async fn list(Extension(caller): Extension<Caller>) -> Json<Orders> {
    Json(Orders {
        caller,
        orders: [
            Order {
                number: 1001,
                item: "bolts",
                quantity: 400,
            },
            Order {
                number: 1002,
                item: "washers",
                quantity: 800,
            },
        ],
    })
}
