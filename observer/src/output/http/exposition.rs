//! The two text formats of `/metrics`: OpenMetrics, and the older Prometheus text made from it.

use std::borrow::Cow;

/// Content type of OpenMetrics text.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Content type of Prometheus text.
pub const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Whether the values of a request's Accept headers ask for OpenMetrics. Without any quality it is preferred where it is
/// named at all; `q=0` refuses it (RFC 9110, section 12.5.1).
pub fn wants_open_metrics<'a>(accept: impl Iterator<Item = &'a str>) -> bool {
    let mut open = 0.0;
    let mut plain = 0.0;
    for range in accept.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let quality = match parts.next() {
            Some("application/openmetrics-text") => &mut open,
            Some("text/plain") => &mut plain,
            _ => continue,
        };
        let given = parts
            .filter_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok())
            .next();
        *quality = f32::max(*quality, given.unwrap_or(1.0));
    }
    open > 0.0 && open >= plain
}

/// Turns OpenMetrics text into Prometheus text, version 0.0.4: metadata under the full name of counters and infos, no
/// units, no exemplars, no end mark.
pub fn plain(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    // HELP stands before TYPE, which tells the suffix, so it waits.
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let (name, kind): (Cow<str>, _) = match kind {
                "counter" => (format!("{name}_total").into(), "counter"),
                "info" => (format!("{name}_info").into(), "gauge"),
                "unknown" => (name.into(), "untyped"),
                _ => (name.into(), kind),
            };
            if let Some((_, help)) = help.take() {
                text.extend(["# HELP ", &name, " ", help, "\n"]);
            }
            text.extend(["# TYPE ", &name, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            text.push_str(without_exemplar(line));
            text.push('\n');
        }
    }
    text
}

/// A sample without its exemplar: what stands before a `#` that is not in a label's value.
fn without_exemplar(sample: &str) -> &str {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in sample.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'#' if !quoted => return sample.get(..at).unwrap_or(sample).trim_end(),
            _ => {}
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_text_from_open_metrics() {
        let open = "# HELP x Counts.\n# TYPE x counter\n# UNIT x seconds\n\
                    x_total{a=\"b # \\\" {c}\"} 1 # {event_id=\"00\"} 1 1700000000.0\n\
                    # HELP b Says.\n# TYPE b info\nb_info{v=\"1\"} 1\n\
                    # HELP g Shows.\n# TYPE g gauge\ng 3\n# EOF\n";
        let wanted = "# HELP x_total Counts.\n# TYPE x_total counter\nx_total{a=\"b # \\\" {c}\"} 1\n\
                      # HELP b_info Says.\n# TYPE b_info gauge\nb_info{v=\"1\"} 1\n\
                      # HELP g Shows.\n# TYPE g gauge\ng 3\n";
        assert_eq!(plain(open), wanted);
    }

    #[test]
    fn negotiation() {
        let wants = |accept: &str| wants_open_metrics([accept].into_iter());
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                          application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1";
        assert!(wants(prometheus));
        assert!(wants("application/openmetrics-text"));
        assert!(!wants("*/*") && !wants("text/plain") && !wants(""));
        assert!(!wants("application/openmetrics-text;q=0"));
        assert!(!wants("application/openmetrics-text;q=0.3, text/plain"));
    }
}
