package import JSON
import Shared

/// What a call does and what came of it, in a few words. The words may hold what an agent wrote: clean before showing.
package enum ToolSummary {
    package static let tailLinesMax = 4
    private static let jsonBytesMax = 160

    /// `$ wc -l README.md`, `POST https://example.org/reports`, `write report.txt` …
    package static func arguments(_ tool: String, _ input: JSONValue?) -> String {
        let input = input ?? [:]
        func text(_ key: String) -> String? { input[key]?.stringValue }
        switch Tool(rawValue: tool) {
        case .shell:
            let network = input["network"]?.boolValue == true ? "  (with network)" : ""
            if let script = text("script") {
                let lines = script.split(whereSeparator: \.isNewline)
                return "$ \(lines.first ?? "")\(lines.count > 1 ? " … (\(lines.count) lines)" : "")\(network)"
            }
            let argv = input["argv"]?.arrayValue ?? []
            return "$ " + argv.map { quoted($0.stringValue ?? compact($0)) }.joined(separator: " ") + network
        case .http: return "\(text("method") ?? "POST") \(text("url") ?? "?")"
        case .fileRead: return "read \(text("path") ?? "?")"
        case .fileList: return "list \(text("path") ?? "?")"
        case .fileWrite:
            return "write \(text("path") ?? "?")"
                + (text("text").map { " (\(Amounts.bytes(Int64($0.utf8.count))))" } ?? "")
        case .sleep:
            return "sleep "
                + (input["duration_ms"]?.intValue.map { Amounts.duration(milliseconds: $0) }
                    ?? "until \(text("until") ?? "?")")
        case .approval: return "approval of '\(text("title") ?? "?")'"
        case .agent, .message, .model, nil: return input == [:] ? tool : "\(tool) \(compact(input))"
        }
    }

    /// `exit 0`, `HTTP 201` …; nil when there is nothing to say.
    package static func result(_ output: JSONValue?) -> String? {
        if let code = output?["exit_code"]?.intValue { return "exit \(code)" }
        if let status = output?["status"]?.intValue { return "HTTP \(status)" }
        if let size = output?["size_bytes"]?.intValue { return Amounts.bytes(size) }
        return nil
    }

    /// The last lines of what a call has written, clean.
    package static func tail(_ output: JSONValue?, linesMax: Int = tailLinesMax) -> [String] {
        for key in ["stdout", "stdout_tail", "stderr", "stderr_tail", "text", "body"] {
            if let text = output?[key]?.stringValue {
                let lines = tail(of: text, linesMax)
                if !lines.isEmpty { return lines }
            }
        }
        return []
    }

    /// Of a failed call: what it complained about comes first.
    package static func complaint(_ error: JSONValue?, linesMax: Int = tailLinesMax) -> [String] {
        let details = error?["details"] ?? error
        for key in ["stderr_tail", "stderr", "stdout_tail", "stdout"] {
            if let text = details?[key]?.stringValue ?? error?[key]?.stringValue {
                let lines = tail(of: text, linesMax)
                if !lines.isEmpty { return lines }
            }
        }
        return []
    }

    private static func tail(of text: String, _ linesMax: Int) -> [String] {
        let lines = CleanText.lines(text).filter { !$0.allSatisfy { $0 == " " } }
        guard lines.count > linesMax else { return lines }
        return ["(\(lines.count - linesMax + 1) more lines)"] + lines.suffix(linesMax - 1)
    }

    static func compact(_ value: JSONValue) -> String {
        let bytes = value.jsonBytes
        guard bytes.count > jsonBytesMax else { return String(decoding: bytes, as: UTF8.self) }
        return String(decoding: bytes.prefix(jsonBytesMax), as: UTF8.self) + " …"
    }

    /// As one would have to type it.
    static func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "_./:=@%+,-".utf8.contains(byte)
            }
        return isPlain
            ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
