//! `metrics.prom`: OpenMetrics text for a textfile collector. Names are stable.
//!
//! It holds no time of the run, so that the same input gives the same bytes; when a run was made, the
//! collector's own file time says.

use std::fmt::{Display, Write as _};

use crate::domain::{PopulationClass, Side, Total};
use crate::history::waivers::WaiverState;

use super::model::{Model, OutcomeName};

/// The whole text, ending in `# EOF`.
pub fn text(model: &Model<'_>) -> String {
    let mut page = Page::default();
    page.family("reckon_info", "Version of the program that wrote the run.");
    page.sample("reckon_info", &[("version", model.version), ("run_id", &model.run_id)], 1);
    page.family("reckon_clean", "1 when no unwaived error finding stands, else 0.");
    page.sample("reckon_clean", &[], u8::from(model.exit_code() == 0));
    page.family("reckon_as_of_timestamp_seconds", "The instant of the reconciliation, in Unix time.");
    page.sample("reckon_as_of_timestamp_seconds", &[], crate::domain::Span(model.as_of.0).seconds());
    page.family("reckon_blocking_findings", "Unwaived findings of severity error.");
    page.sample("reckon_blocking_findings", &[], model.blocking);
    findings(&mut page, model);
    rows(&mut page, model);
    pairs(&mut page, model);
    conservation(&mut page, model);
    balances(&mut page, model);
    page.family("reckon_history_findings", "Findings beside the previous run.");
    let history = &model.history;
    for (state, count) in [
        ("new", history.new),
        ("open", history.open),
        ("resolved", history.resolved),
        ("reopened", history.reopened),
        ("waived", history.waived),
    ] {
        page.sample("reckon_history_findings", &[("state", state)], count);
    }
    page.family("reckon_waivers", "Waivers by whether they hold.");
    for state in WaiverState::ALL {
        let count = model.accepted.standings.iter().filter(|standing| standing.state == state).count();
        page.sample("reckon_waivers", &[("state", state.name())], count);
    }
    page.0.push_str("# EOF\n");
    page.0
}

fn findings(page: &mut Page, model: &Model<'_>) {
    page.family("reckon_findings", "Findings by class.");
    for class in &model.classes {
        page.sample("reckon_findings", &[("class", class.class.name())], class.count);
    }
    page.family("reckon_findings_waived", "Waived findings by class.");
    for class in &model.classes {
        page.sample("reckon_findings_waived", &[("class", class.class.name())], class.waived);
    }
    page.family("reckon_findings_effect_tokens", "Tokens that the repairs add to balances, by class.");
    for class in &model.classes {
        page.sample("reckon_findings_effect_tokens", &[("class", class.class.name())], class.tokens_effect);
    }
}

fn rows(page: &mut Page, model: &Model<'_>) {
    let sides = [(Side::Legacy, model.legacy_population), (Side::Unified, model.unified_population)];
    let mut family = |name: &str, help: &str, value: fn(Total) -> i128| {
        page.family(name, help);
        for (side, population) in sides {
            for class in PopulationClass::ALL {
                let labels = [("side", side.name()), ("class", class.name())];
                page.sample(name, &labels, value(population.get(class)));
            }
        }
    };
    family("reckon_population_rows", "Rows by table and population class.", |total| total.rows.into());
    family("reckon_population_tokens", "Tokens (magnitude) by table and class.", |total| total.tokens);
    page.family("reckon_outcome_rows", "Rows by table and outcome.");
    for (side, outcomes) in [(Side::Legacy, &model.legacy_outcomes), (Side::Unified, &model.unified_outcomes)]
    {
        let mut sample = |outcome: &OutcomeName, total: &Total| {
            let labels = [("side", side.name()), ("outcome", outcome.name())];
            page.sample("reckon_outcome_rows", &labels, total.rows);
        };
        outcomes.iter().for_each(|(outcome, total)| sample(outcome, total));
    }
}

fn pairs(page: &mut Page, model: &Model<'_>) {
    page.family("reckon_pairs_rows", "Paired legacy rows by rung of the ladder.");
    for (rule, total) in model.pairs {
        page.sample("reckon_pairs_rows", &[("rule", rule.name())], total.rows);
    }
    page.family("reckon_pairs_tokens", "Tokens of the paired legacy rows by rung.");
    for (rule, total) in model.pairs {
        page.sample("reckon_pairs_tokens", &[("rule", rule.name())], total.tokens);
    }
}

fn conservation(page: &mut Page, model: &Model<'_>) {
    page.family("reckon_conservation_holds", "1 when all rows and tokens that came in came out.");
    page.sample("reckon_conservation_holds", &[], u8::from(model.conservation.holds));
    page.family("reckon_source_rows", "Rows as the source counts them.");
    for side in [Side::Legacy, Side::Unified] {
        page.sample("reckon_source_rows", &[("side", side.name())], model.side(side).rows_in);
    }
    page.family("reckon_source_tokens", "Raw token sum as the source has it.");
    for side in [Side::Legacy, Side::Unified] {
        page.sample("reckon_source_tokens", &[("side", side.name())], model.side(side).tokens_in);
    }
}

fn balances(page: &mut Page, model: &Model<'_>) {
    let totals = &model.balances;
    page.family("reckon_users", "Users on either side.");
    page.sample("reckon_users", &[], totals.users);
    page.family("reckon_recomputed_tokens", "Sum of the recomputed balances.");
    page.sample("reckon_recomputed_tokens", &[], totals.recomputed);
    page.family("reckon_corrected_tokens", "Sum of the balances after the repairs.");
    page.sample("reckon_corrected_tokens", &[], totals.corrected);
    // Without stored balances these are unknown, and unknown is not zero.
    if let (Some(users), Some(gap), Some(unexplained)) =
        (totals.users_with_gap, totals.gap_tokens, totals.unexplained_tokens)
    {
        page.family("reckon_users_with_gap", "Users whose stored balance is not the recomputed one.");
        page.sample("reckon_users_with_gap", &[], users);
        page.family("reckon_gap_tokens", "Sum of stored minus recomputed balances.");
        page.sample("reckon_gap_tokens", &[], gap);
        page.family("reckon_unexplained_tokens", "The part of the gaps that no cause gives.");
        page.sample("reckon_unexplained_tokens", &[], unexplained);
        let absolute = totals.unexplained_tokens_absolute.unwrap_or(0);
        page.family("reckon_unexplained_absolute_tokens", "The same without signs: nothing cancels out.");
        page.sample("reckon_unexplained_absolute_tokens", &[], absolute);
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} gauge"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels =
            labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escape(value))).collect::<Vec<_>>();
        if labels.is_empty() {
            self.line(format_args!("{name} {value}"));
        } else {
            self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
