//! Texts of rules: templates without files, without includes, bounded in steps.

use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;
use std::sync::LazyLock;

/// Instructions that one text may take.
const FUEL: u64 = 5_000;
/// Characters of a rendered text.
const LONGEST: usize = 2_000;

static ENV: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    env.set_fuel(Some(FUEL));
    env.set_undefined_behavior(UndefinedBehavior::Lenient);
    env
});

/// What is wrong with a text, if anything.
pub fn fault(text: &str) -> Option<String> {
    ENV.template_from_str(text).err().map(|e| e.to_string())
}

pub fn render(text: &str, input: &Value) -> Result<String, String> {
    let rendered = ENV.render_str(text, minijinja::value::Serde(input)).map_err(|e| e.to_string())?;
    Ok(rendered.chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_is_rendered_and_an_endless_one_is_stopped() {
        let input = json!({"event": {"data": {"kind": "fall"}}});
        assert_eq!(render("A {{ event.data.kind }}{{ event.data.none }}", &input).unwrap(), "A fall");
        assert!(fault("{{ event.").is_some() && fault("{% if x %}y{% endif %}").is_none());
        let loops = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        assert!(render(loops, &input).is_err());
        assert!(render("{% include 'etc/passwd' %}", &input).is_err());
    }
}
