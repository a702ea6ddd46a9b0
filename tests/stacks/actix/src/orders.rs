//! The orders, and who may see them: every client with a certificate.

use actix_web::{HttpRequest, Responder, get, web};
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
    caller: Option<Caller>,
    orders: [Order; 2],
}

#[get("/orders")]
pub async fn list(request: HttpRequest) -> impl Responder {
    web::Json(Orders {
        caller: request.conn_data::<Caller>().cloned(),
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
