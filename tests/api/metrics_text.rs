//! A strict reader of Prometheus' text format 0.0.4
//! (prometheus.io/docs/instrumenting/exposition_formats), and of its naming rules.

use std::collections::{BTreeMap, BTreeSet};

/// What one scrape shows.
#[derive(Debug, Default)]
pub struct MetricsText {
    /// The type of each family.
    pub families: BTreeMap<String, String>,
    /// The value of each sample, by its name and its sorted labels.
    samples: BTreeMap<(String, Vec<(String, String)>), f64>,
}

impl MetricsText {
    /// Fails if the text breaks a rule.
    pub fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line ends with a line feed");
        let mut parsed = Self::default();
        let (mut helped, mut family) = (BTreeSet::new(), String::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, text) = help.split_once(' ').expect("a help text");
                assert!(text.ends_with('.'), "a sentence: {line}");
                assert!(helped.insert(name.to_owned()), "one help text each: {line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a type");
                check_name(name, kind);
                assert!(helped.contains(name), "a help text for {name}");
                assert!(parsed.families.insert(name.into(), kind.into()).is_none(), "one group each: {line}");
                name.clone_into(&mut family);
            } else {
                let (name, labels, value) = read_sample(line);
                assert_eq!(parsed.family_of(&name), family, "samples follow their type: {line}");
                assert!(parsed.samples.insert((name, labels), value).is_none(), "twice: {line}");
            }
        }
        parsed.check_histograms();
        parsed
    }

    /// The sum of the samples of this name that have all these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |of: &[(String, String)], label: &(&str, &str)| of.iter().any(|(n, v)| (&**n, &**v) == *label);
        let samples =
            self.samples.iter().filter(|((known, of), _)| known == name && labels.iter().all(|label| has(of, label)));
        samples.map(|(_, value)| value).sum()
    }

    /// The values that a label has anywhere.
    pub fn label_values(&self, label: &str) -> BTreeSet<String> {
        let labels = self.samples.keys().flat_map(|(_, labels)| labels);
        labels.filter(|(name, _)| name == label).map(|(_, value)| value.clone()).collect()
    }

    /// The names of all samples, such as `playhead_x_seconds_bucket`.
    pub fn names(&self) -> BTreeSet<&str> {
        self.samples.keys().map(|(name, _)| &**name).collect()
    }

    fn family_of(&self, sample: &str) -> String {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| sample.strip_suffix(end));
        let is_histogram = |base: &&str| self.families.get(*base).is_some_and(|kind| kind == "histogram");
        base.filter(is_histogram).unwrap_or(sample).to_owned()
    }

    /// Buckets grow up to `+Inf`, which equals the count.
    fn check_histograms(&self) {
        let mut buckets: BTreeMap<(&str, Vec<_>), Vec<(f64, f64)>> = BTreeMap::new();
        for ((name, labels), value) in &self.samples {
            let Some(family) = name.strip_suffix("_bucket") else { continue };
            let (limit, others): (Vec<_>, Vec<_>) = labels.iter().cloned().partition(|(label, _)| label == "le");
            let limit = limit[0].1.replace("+Inf", "inf").parse().unwrap();
            buckets.entry((family, others)).or_default().push((limit, *value));
        }
        for ((family, labels), mut buckets) in buckets {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(buckets.is_sorted_by(|a, b| a.1 <= b.1), "{family} grows");
            let (last, count) = buckets.last().unwrap();
            assert!(last.is_infinite(), "{family} has +Inf");
            assert_eq!(self.samples[&(format!("{family}_count"), labels.clone())], *count, "{family}");
            assert!(self.samples.contains_key(&(format!("{family}_sum"), labels)), "{family} has a sum");
        }
    }
}

/// Names end with their unit, and those of counters with `_total`.
fn check_name(name: &str, kind: &str) {
    assert!(name.starts_with("playhead_") || name.starts_with("process_"), "{name}");
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
    assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
    let units = ["_seconds", "_bytes", "_requests", "_connections", "_sockets", "_fds", "_threads", "_info", "_up"];
    assert!(kind == "counter" || units.iter().any(|unit| name.ends_with(unit)), "{name} names no unit");
    assert!(["counter", "gauge", "histogram"].contains(&kind), "{kind}");
}

fn read_sample(line: &str) -> (String, Vec<(String, String)>, f64) {
    let (head, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
    let value: f64 = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
    assert!(value >= 0.0, "nothing here is negative: {line}");
    let Some((name, labels)) = head.split_once('{') else { return (head.to_owned(), Vec::new(), value) };
    let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("no end of labels: {line}"));
    let read = |label: &str| {
        let (name, value) = label.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()), "{line}");
        let value = value.strip_suffix('"').unwrap_or_else(|| panic!("no quote: {line}"));
        // No label of ours needs an escape.
        assert!(!value.contains(['"', '\\', '\n']), "{line}");
        (name.to_owned(), value.to_owned())
    };
    let mut labels = Vec::from_iter(labels.split("\",").map(|label| format!("{}\"", label.trim_end_matches('"'))));
    labels.sort();
    (name.to_owned(), labels.iter().map(|label| read(label)).collect(), value)
}
