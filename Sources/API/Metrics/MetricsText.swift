/// Writes the Prometheus text format, version 0.0.4: each family once, its samples together.
struct MetricsText {
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind: String { case counter, gauge, histogram }

    typealias Labels = [(name: String, value: String)]

    private var families: Set<String> = []
    private(set) var text = ""

    /// A family with one sample.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: some Numeric & CustomStringConvertible) {
        family(name, kind, help) { $0.sample([], value) }
    }

    /// A family with the samples that `body` gives. A name that was there before is a bug: readers refuse such a text.
    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ body: (inout Samples) -> Void) {
        precondition(families.insert(name).inserted, "the metric \(name) is written twice")
        var samples = Samples(name: name)
        body(&samples)
        // A family that has nothing to say yet is left out.
        guard !samples.text.isEmpty else { return }
        text += "# HELP \(name) \(Self.escaped(help))\n# TYPE \(name) \(kind.rawValue)\n"
        text += samples.text
    }

    /// The samples of one family.
    struct Samples {
        fileprivate let name: String
        fileprivate var text = ""

        fileprivate init(name: String) { self.name = name }

        mutating func sample(_ labels: Labels, _ value: some Numeric & CustomStringConvertible) {
            line(name, labels, value)
        }

        /// Buckets are cumulative, and the last, `+Inf`, is the count.
        mutating func histogram(_ labels: Labels, _ histogram: Histogram) {
            let snapshot = histogram.snapshot
            guard snapshot.count > 0 else { return }
            for (bound, count) in zip(histogram.bounds.map { "\($0)" } + ["+Inf"], snapshot.cumulative) {
                line("\(name)_bucket", labels + [("le", bound)], count)
            }
            line("\(name)_sum", labels, snapshot.sum)
            line("\(name)_count", labels, snapshot.count)
        }

        private mutating func line(_ name: String, _ labels: Labels, _ value: some CustomStringConvertible) {
            text += name
            if !labels.isEmpty {
                let written = labels.map { "\($0.name)=\"\(MetricsText.escaped($0.value, quotes: true))\"" }
                text += "{\(written.joined(separator: ","))}"
            }
            text += " \(value)\n"
        }
    }

    /// Backslash and line feed, and in a label's value the quotation mark.
    fileprivate static func escaped(_ text: String, quotes: Bool = false) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\".unicodeScalars
            case "\n": escaped += "\\n".unicodeScalars
            case "\"" where quotes: escaped += "\\\"".unicodeScalars
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
