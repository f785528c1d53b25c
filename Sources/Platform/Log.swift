import CLinux

/// One line per event to standard error, for people on a terminal, else as JSON; in front of it the priority where the
/// journal reads it (sd-daemon(3)). Callers never pass a secret.
package struct Log: Sendable {
    package enum Level: String, CaseIterable, Comparable, Sendable {
        case debug, info, warning, error

        private var weight: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warning: 2
            case .error: 3
            }
        }

        /// The priority of syslog(3).
        fileprivate var priority: Int {
            switch self {
            case .debug: 7
            case .info: 6
            case .warning: 4
            case .error: 3
            }
        }

        package static func < (left: Level, right: Level) -> Bool { left.weight < right.weight }
    }

    package enum Format: String, CaseIterable, Sendable { case text, json }

    package enum Value: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
        ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
    {
        case text(String)
        case number(Int64)
        case flag(Bool)

        package init(stringLiteral value: String) { self = .text(value) }
        package init(integerLiteral value: Int64) { self = .number(value) }
        package init(booleanLiteral value: Bool) { self = .flag(value) }
    }

    package typealias Fields = KeyValuePairs<String, Value>

    package static let lineBytesMax = 16 << 10

    private let level: Level
    private let format: Format
    private let clock: any Clock
    private let isForJournal: Bool
    private let sink: @Sendable ([UInt8]) -> Void

    /// - Parameters:
    ///   - journal: `JOURNAL_STREAM`: of which file the journal says that it reads it.
    ///   - sink: Takes one line with its end; standard error unless a test says otherwise.
    package init(
        level: Level = .info, format: Format? = nil, journal: String? = nil, clock: any Clock = SystemClock(),
        sink: (@Sendable ([UInt8]) -> Void)? = nil
    ) {
        isForJournal = journal.map { $0 == Self.standardErrorFile } ?? false
        self.level = level
        self.format = format ?? (isatty(2) == 1 ? .text : .json)
        self.clock = clock
        self.sink = sink ?? { bytes in _ = CLinux.write(2, bytes, bytes.count) }
    }

    /// Writes nothing.
    package static let silent = Log(level: .error, format: .json, sink: { _ in })

    /// Whether a line of this level is written at all: for those whose fields cost something.
    package func writes(_ level: Level) -> Bool { level >= self.level }

    package func debug(_ event: String, _ fields: Fields = [:]) { write(.debug, event, fields) }
    package func info(_ event: String, _ fields: Fields = [:]) { write(.info, event, fields) }
    package func warning(_ event: String, _ fields: Fields = [:]) { write(.warning, event, fields) }
    package func error(_ event: String, _ fields: Fields = [:]) { write(.error, event, fields) }

    private func write(_ level: Level, _ event: String, _ fields: Fields) {
        guard writes(level) else { return }
        var line =
            switch format {
            case .text: Self.textLine(level, event, fields, clock.wallMilliseconds())
            case .json: Self.jsonLine(level, event, fields, clock.wallMilliseconds())
            }
        if line.utf8.count > Self.lineBytesMax { line = String(line.prefix(Self.lineBytesMax / 4)) + "…" }
        sink(Array(((isForJournal ? "<\(level.priority)>" : "") + line + "\n").utf8))
    }

    private static func textLine(_ level: Level, _ event: String, _ fields: Fields, _ now: Int64) -> String {
        var line = "\(time(now).dropFirst(11).dropLast()) \(level == .info ? "" : level.rawValue + ": ")\(clean(event))"
        for (name, value) in fields {
            switch value {
            case .text(let text): line += " \(name)=\(text.contains(" ") ? "\"\(clean(text))\"" : clean(text))"
            case .number(let number): line += " \(name)=\(number)"
            case .flag(let flag): line += " \(name)=\(flag)"
            }
        }
        return line
    }

    private static func jsonLine(_ level: Level, _ event: String, _ fields: Fields, _ now: Int64) -> String {
        var line = "{\"time\":\"\(time(now))\",\"level\":\"\(level.rawValue)\",\"event\":\(quoted(event))"
        for (name, value) in fields {
            switch value {
            case .text(let text): line += ",\(quoted(name)):\(quoted(text))"
            case .number(let number): line += ",\(quoted(name)):\(number)"
            case .flag(let flag): line += ",\(quoted(name)):\(flag)"
            }
        }
        return line + "}"
    }

    /// What `JOURNAL_STREAM` is compared with.
    private static var standardErrorFile: String? {
        var found = stat()
        return fstat(2, &found) == 0 ? "\(found.st_dev):\(found.st_ino)" : nil
    }

    /// Without control characters: a log line never moves a cursor.
    private static func clean(_ text: String) -> String {
        var cleaned = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            cleaned.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
        }
        return cleaned
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value):
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func time(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: some BinaryInteger, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
            + "T\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
            + ".\(padded(milliseconds % 1000, 3))Z"
    }
}
