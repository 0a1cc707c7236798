//! The finance pack of a period: it ties out, it chains, and others can check it.

mod chain;
mod document;
mod followed;
mod pack;
mod page;
mod postgres;
mod redacted;
mod workbook;
mod world;
