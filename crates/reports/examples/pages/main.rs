//! Sample pages to look at: `cargo run -p reports --example pages -- DIR`, then `pdftoppm -r 80 -png DIR/offer.pdf …`.
mod samples;

use std::{fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder =
        std::env::args().nth(1).ok_or("say where to: cargo run -p reports --example pages -- DIR")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    for (name, document) in samples::all() {
        fs::write(folder.join(format!("{name}.pdf")), reports::pdf(&document)?)?;
        fs::write(folder.join(format!("{name}.docx")), reports::docx(&document)?)?;
        println!("{name}");
    }
    let signed = reports::append(&fs::read(folder.join("offer.pdf"))?, &samples::certificate())?;
    fs::write(folder.join("signed.pdf"), signed)?;
    fs::write(folder.join("staff.xlsx"), reports::xlsx(&samples::staff())?)?;
    Ok(())
}
