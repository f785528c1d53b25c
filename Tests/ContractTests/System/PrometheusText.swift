import TestSupport

/// A scrape, read by the rules of the text format 0.0.4, and refused where it breaks one.
struct PrometheusText {
    struct Sample {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    struct Family {
        var kind: String
        var help: String
        var samples: [Sample] = []
    }

    private(set) var families: [String: Family] = [:]

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw TestFailure("the last line does not end") }
        var current: String?
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                guard words.count == 4, families[words[2]] == nil else { throw TestFailure("HELP twice: \(line)") }
                families[words[2]] = Family(kind: "", help: words[3])
                current = words[2]
            } else if line.hasPrefix("# TYPE ") {
                guard words.count == 4, words[2] == current, families[words[2]]?.kind == "",
                    ["counter", "gauge", "histogram"].contains(words[3])
                else { throw TestFailure("no such type: \(line)") }
                families[words[2]]?.kind = words[3]
            } else {
                let sample = try Self.sample(String(line))
                guard let current, let family = families[current], !family.kind.isEmpty,
                    Self.isOf(sample.name, current, family.kind)
                else { throw TestFailure("a sample away from its family: \(line)") }
                families[current]?.samples.append(sample)
            }
        }
        for (name, family) in families { try Self.check(name, family) }
    }

    /// The value of the one sample with these labels; nil when there is none.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        families.values.flatMap(\.samples).first { $0.name == name && $0.labels == labels }?.value
    }

    private static func isOf(_ sample: String, _ family: String, _ kind: String) -> Bool {
        kind == "histogram" ? ["_bucket", "_sum", "_count"].contains { sample == family + $0 } : sample == family
    }

    private static func check(_ name: String, _ family: Family) throws {
        guard !family.samples.isEmpty else { throw TestFailure("\(name) has no samples") }
        guard (family.kind == "counter") == name.hasSuffix("_total") else {
            throw TestFailure("\(name) is a \(family.kind): only counters end in _total, and all of them do")
        }
        let identities = family.samples.map { "\($0.name)\($0.labels.sorted { $0.key < $1.key })" }
        guard Set(identities).count == identities.count else { throw TestFailure("\(name) has a sample twice") }
        guard family.kind == "histogram" else { return }
        var series: [[String: String]: [Sample]] = [:]
        for sample in family.samples {
            var labels = sample.labels
            labels["le"] = nil
            series[labels, default: []].append(sample)
        }
        for (labels, samples) in series {
            let buckets = samples.filter { $0.name.hasSuffix("_bucket") }
            let bounds = buckets.map { $0.labels["le"] == "+Inf" ? Double.infinity : Double($0.labels["le"] ?? "") }
            let known = bounds.compactMap { $0 }
            let count = samples.first { $0.name.hasSuffix("_count") }?.value
            guard known.count == bounds.count, known == known.sorted(), known.last == .infinity,
                buckets.map(\.value) == buckets.map(\.value).sorted(), buckets.last?.value == count,
                samples.contains(where: { $0.name.hasSuffix("_sum") })
            else { throw TestFailure("\(name)\(labels) is no histogram") }
        }
    }

    /// `name{label="value",…} number`
    private static func sample(_ line: String) throws -> Sample {
        var rest = Substring(line)
        func fail() -> TestFailure { TestFailure("no sample: \(line)") }
        func name() throws -> String {
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ":") }
            guard let first = name.first, !first.isNumber else { throw fail() }
            rest = rest.dropFirst(name.count)
            return String(name)
        }
        func take(_ character: Character) -> Bool {
            guard rest.first == character else { return false }
            rest = rest.dropFirst()
            return true
        }
        let metric = try name()
        var labels: [String: String] = [:]
        if take("{") {
            repeat {
                let label = try name()
                guard take("="), take("\""), labels[label] == nil else { throw fail() }
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    guard character == "\\" else {
                        value.append(character)
                        continue
                    }
                    switch rest.popFirst() {
                    case "\\": value.append("\\")
                    case "\"": value.append("\"")
                    case "n": value.append("\n")
                    default: throw fail()
                    }
                }
                labels[label] = value
            } while take(",")
            guard take("}") else { throw fail() }
        }
        guard take(" "), let value = Double(rest) else { throw fail() }
        return Sample(name: metric, labels: labels, value: value)
    }
}
