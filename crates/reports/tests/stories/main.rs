//! What a reader of the pages, an office and a spreadsheet find in them.
mod behind;
mod hostile;
mod pages;
mod reader;
mod sheets;
