/// Reads environment variables as typed settings. Pure: a dictionary goes in, values and faults come out.
///
/// Ask for every setting, then look at ``faults``: a program with faults says them all and does not start.
package struct Settings: Sendable {
    /// Where a value came from.
    package enum Origin: Hashable, Sendable, CustomStringConvertible {
        case standard, environment, credential
        case file(String)

        package var description: String {
            switch self {
            case .standard: "default"
            case .environment: "environment"
            case .credential: "credential"
            case .file(let path): path
            }
        }
    }

    /// One wrong setting, in one line.
    package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
        package var name: String
        /// What was seen; never the value of a secret.
        package var seen: String
        package var allowed: String
        package var origin: Origin

        package init(name: String, seen: String, allowed: String, origin: Origin) {
            (self.name, self.seen, self.allowed, self.origin) = (name, seen, allowed, origin)
        }

        package var description: String { "\(name): found \(seen) (from \(origin)), allowed is \(allowed)" }
    }

    /// A setting as `--print-config` shows it.
    package struct Shown: Hashable, Sendable {
        package var name: String
        package var value: String
        package var origin: Origin
    }

    private let environment: [String: String]
    private let file: [String: String]
    private let fileName: String
    private let credentials: [String: String]
    package private(set) var faults: [Fault] = []
    package private(set) var shown: [Shown] = []

    /// - Parameters:
    ///   - file: The contents of `AOS_ENV_FILE`; what it names replaces the environment.
    ///   - credentials: What the service manager hands over beside both; the last to be asked.
    package init(
        environment: [String: String], file: [String: String] = [:], fileName: String = "",
        credentials: [String: String] = [:]
    ) {
        (self.environment, self.file, self.fileName) = (environment, file, fileName)
        self.credentials = credentials
    }

    /// The exit code of a program whose settings have faults.
    package static let faultExitCode: Int32 = 78

    /// All names with our prefixes that any of the programs knows: a program ignores what is for another one.
    package static let knownNames: Set<String> = [
        "AOS_ALLOWED_HOSTS", "AOS_ALLOWED_ORIGINS", "AOS_API_URL", "AOS_AUDIT_PUBLISH_DIR", "AOS_BLOBS_DIR",
        "AOS_DATA_DIR", "AOS_ENV_FILE",
        "AOS_LOG_FORMAT", "AOS_LOG_LEVEL", "AOS_RUN_ID", "AOS_SENTINEL", "AOS_STEP_ID", "AOS_TOKEN", "AOS_WEB_DIR",
        "ENGINE_ACTOR_ID", "ENGINE_API_BASE_URL", "ENGINE_AUTH_TOKEN", "ENGINE_CLAIM_WAIT_MS",
        "ENGINE_CREDENTIAL_FILE", "ENGINE_GRACE_MS", "ENGINE_ID", "ENGINE_MAX_PARALLEL_RUNS", "ENGINE_POLL_MS",
        "ENGINE_ROOM_ID", "ENGINE_RUN_ONCE",
        "ENGINE_SANDBOX", "ENGINE_SECRETS_DIR", "ENGINE_WORKSPACE_ID",
    ]
    private static let prefixes = ["AOS_", "ENGINE_"]
    private static let secretMark = "(hidden)"

    // MARK: Reading

    /// The value as text; empty counts as not set.
    package mutating func text(_ name: String) -> String? {
        guard let (value, origin) = find(name) else { return nil }
        show(name, value, origin)
        return value
    }

    package mutating func text(_ name: String, default standard: String) -> String {
        text(name)
            ?? {
                show(name, standard, .standard); return standard
            }()
    }

    /// Like ``text(_:)``, never shown.
    package mutating func secret(_ name: String) -> String? {
        guard let (value, origin) = find(name) else { return nil }
        show(name, Self.secretMark, origin)
        return value
    }

    package mutating func integer(_ name: String, default standard: Int64, in range: ClosedRange<Int64>) -> Int64 {
        guard let (text, origin) = find(name) else {
            show(name, String(standard), .standard)
            return standard
        }
        guard let value = Int64(text), range.contains(value) else {
            refuse(name, text, "an integer from \(range.lowerBound) to \(range.upperBound)", origin)
            return standard
        }
        show(name, String(value), origin)
        return value
    }

    package mutating func flag(_ name: String, default standard: Bool) -> Bool {
        guard let (text, origin) = find(name) else {
            show(name, standard ? "1" : "0", .standard)
            return standard
        }
        guard let value = Self.truth(text) else {
            refuse(name, text, "1, true, yes, on, 0, false, no or off", origin)
            return standard
        }
        show(name, value ? "1" : "0", origin)
        return value
    }

    package mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ name: String, default standard: Value
    ) -> Value where Value.RawValue == String {
        choice(name, of: Value.self)
            ?? {
                show(name, standard.rawValue, .standard); return standard
            }()
    }

    package mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ name: String, of: Value.Type
    ) -> Value? where Value.RawValue == String {
        guard let (text, origin) = find(name) else { return nil }
        guard let value = Value(rawValue: text) else {
            refuse(name, text, Value.allCases.map(\.rawValue).joined(separator: ", "), origin)
            return nil
        }
        show(name, value.rawValue, origin)
        return value
    }

    /// A value that `read` understands; nil from it is a fault.
    /// - Parameter shown: The text as it may be shown, where a part of it is secret.
    package mutating func value<Value>(
        _ name: String, allowed: String, shown: (String) -> String = { $0 }, read: (String) -> Value?
    ) -> Value? {
        guard let (text, origin) = find(name) else { return nil }
        guard let value = read(text) else {
            refuse(name, shown(text), allowed, origin)
            return nil
        }
        show(name, shown(text), origin)
        return value
    }

    /// A fault that is seen only by comparing settings.
    package mutating func refuse(_ name: String, seen: String, allowed: String) {
        faults.append(Fault(name: name, seen: seen, allowed: allowed, origin: find(name)?.origin ?? .standard))
    }

    /// Adds a fault for every name with one of our prefixes that no program knows.
    package mutating func refuseUnknownNames() {
        for (values, origin) in [(environment, Origin.environment), (file, .file(fileName))] {
            for name in values.keys.sorted() where Self.prefixes.contains(where: { name.hasPrefix($0) }) {
                guard !Self.knownNames.contains(name) else { continue }
                let near = Self.nearest(name).map { "a known name (did you mean \($0)?)" } ?? "a known name"
                faults.append(Fault(name: name, seen: "an unknown name", allowed: near, origin: origin))
            }
        }
    }

    /// Whether the text means yes or no; nil for anything else.
    package static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "true", "yes", "on": true
        case "0", "false", "no", "off": false
        default: nil
        }
    }

    /// Reads the `NAME=value` lines of an env file: blank lines and `#` lines are passed over, a value may stand in
    /// single or double quotes.
    package static func parseFile(_ text: String, name: String) -> (values: [String: String], faults: [Fault]) {
        var values: [String: String] = [:]
        var faults: [Fault] = []
        for (number, line) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .enumerated()
        {
            // By bytes: to Swift a carriage return and a line feed are one character.
            let line = trimmed(String(Substring(line)))
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard let equals = line.firstIndex(of: "="), isName(line[..<equals]) else {
                faults.append(
                    Fault(
                        name: "line \(number + 1)", seen: "something else", allowed: "NAME=value", origin: .file(name)))
                continue
            }
            values[String(line[..<equals])] = unquoted(trimmed(line[line.index(after: equals)...]))
        }
        return (values, faults)
    }

    // MARK: Helpers

    private func find(_ name: String) -> (value: String, origin: Origin)? {
        if let value = file[name] { return value.isEmpty ? nil : (value, .file(fileName)) }
        if let value = environment[name], !value.isEmpty { return (value, .environment) }
        if let value = credentials[name], !value.isEmpty { return (value, .credential) }
        return nil
    }

    private mutating func refuse(_ name: String, _ seen: String, _ allowed: String, _ origin: Origin) {
        let shortened = seen.count > 64 ? seen.prefix(64) + "…" : seen[...]
        faults.append(Fault(name: name, seen: "\"\(shortened)\"", allowed: allowed, origin: origin))
    }

    private mutating func show(_ name: String, _ value: String, _ origin: Origin) {
        shown.append(Shown(name: name, value: value, origin: origin))
    }

    /// The known name that differs least, if it is near.
    private static func nearest(_ name: String) -> String? {
        let near = knownNames.sorted().min { distance(name, $0) < distance(name, $1) }
        return near.flatMap { distance(name, $0) <= 3 ? $0 : nil }
    }

    private static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let change = diagonal + (byte == right[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let blanks: Set<Character> = [" ", "\t", "\r"]
        let head = text.drop { blanks.contains($0) }
        let end = head.lastIndex { !blanks.contains($0) }.map { head.index(after: $0) } ?? head.startIndex
        return String(head[..<end])
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !first.isDigit else { return false }
        return text.utf8.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
    }

    private static func unquoted(_ text: String) -> String {
        for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
            return String(text.dropFirst().dropLast())
        }
        return text
    }
}
