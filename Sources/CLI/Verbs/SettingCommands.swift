import APIClient
import HTTP
import JSON
import Platform
import Shared

enum AuthCommands {
    static let all: [Command] = [status]

    /// Who this program is to the api.
    private struct Report: Codable {
        var url: String
        var tokenSource: String
        var valid: Bool
        var caller: String?
        var expiresAt: Timestamp?
    }

    static let status = Command(
        "auth status", "Who you are to the api, where it is, and how it knows you",
        details: """
            Asks the api whether it knows the token. Exit 4 when there is none or when it is not this api's.
            """,
        aliases: ["whoami"], options: [.json],
        examples: [Example("aos auth status", "the token's source, and whose it is")]
    ) { invocation, session in
        let connection = try session.connection()
        var report = Report(
            url: connection.url, tokenSource: connection.tokenSource.description, valid: false)
        var failure: Failure?
        do {
            if let token = connection.token, token.hasPrefix(SessionTokens.accessPrefix) {
                let answer = try session.get(.session)
                report.caller = "owner \(answer.owner.displayName) of \(answer.owner.workspaceID)"
                report.expiresAt = answer.session.accessExpiresAt
            } else {
                _ = try session.get(.killSwitch)
                report.caller = "operator"
            }
            report.valid = true
        } catch let refused as Failure where [.authentication, .denied].contains(refused.exit) { failure = refused }
        if invocation.has(.json) {
            try session.printJSON(invocation, report)
        } else {
            var facts = Facts()
            facts.add("api", report.url, .bold)
            facts.add("token", report.tokenSource)
            facts.add("you are", report.caller ?? "not known to this api", report.valid ? .green : .boldRed)
            facts.add(
                "until", report.expiresAt?.description,
                shown: report.expiresAt.map { "\($0)  \(Amounts.age($0, now: session.now))" })
            session.print(facts)
        }
        if let failure {
            session.console.flush()
            throw Failure(.authentication, failure.what, next: [connection.tokenAdvice], requestID: failure.requestID)
        }
        return .ok
    }
}

extension Connection.TokenSource: CustomStringConvertible {
    /// Where the token comes from, never the token.
    package var description: String {
        switch self {
        case .environment: "AOS_TOKEN"
        case .file(let path): path
        case .none(let path, let reason): "none: \(path) (\(reason)), and AOS_TOKEN is not set"
        }
    }
}

enum ConfigCommands {
    static let all: [Command] = [show]

    private struct Report: Codable {
        struct Setting: Codable {
            var program: String
            var name: String
            var value: String
            var origin: String
        }
        var settings: [Setting]
    }

    static let show = Command(
        "config show", "Every setting of aos, api and engine as this environment gives it",
        details: """
            What the programs would start with here: those that run already may have been started with another
            environment. Secrets are hidden. What each means: docs/reference/CONFIGURATION.md.
            """,
        aliases: ["config list", "config ls"], options: [.origin, .json],
        examples: [Example("aos config show --origin", "with the source of each: default, environment or a file")]
    ) { invocation, session in
        if invocation.has(.json) { _ = try FieldSelection(invocation.names(.json), of: Report.self) }
        var settings = try own(session)
        for sibling in Sibling.allCases { settings += try of(sibling, session) }
        if invocation.has(.json) {
            try session.printJSON(invocation, Report(settings: settings))
            return .ok
        }
        var columns: [Table.Column] = [.init("PROGRAM"), .init("SETTING"), .init("VALUE", isFlexible: true)]
        if invocation.has(.origin) { columns.append(.init("ORIGIN", isFlexible: true)) }
        session.print(
            Table(
                columns,
                settings.map { setting in
                    let cells = [
                        Table.Cell(setting.program, .dim), Table.Cell(setting.name, .bold), Table.Cell(setting.value),
                    ]
                    let isDefault = setting.origin == "\(Settings.Origin.standard)"
                    return invocation.has(.origin)
                        ? cells + [Table.Cell(setting.origin, isDefault ? .dim : .yellow)] : cells
                }), ifEmpty: "no settings")
        return .ok
    }

    private static func own(_ session: Session) throws -> [Report.Setting] {
        let connection = try session.connection()
        return [
            Report.Setting(
                program: "aos", name: "AOS_API_URL", value: connection.url,
                origin: connection.urlOrigin),
            Report.Setting(
                program: "aos", name: "AOS_TOKEN", value: connection.token == nil ? "" : "(hidden)",
                origin: connection.tokenSource.description),
            Report.Setting(
                program: "aos", name: "AOS_DATA_DIR", value: connection.dataDirectory,
                origin: (session.environment["AOS_DATA_DIR"] ?? "").isEmpty ? "default" : "environment"),
        ]
    }

    /// What the program itself says.
    private static func of(_ sibling: Sibling, _ session: Session) throws -> [Report.Setting] {
        let (exit, output) = try sibling.run(["--print-config"], session)
        guard exit == .code(0) else {
            throw Failure(
                .configuration, "\(sibling.rawValue) refuses these settings", next: ["aos help environment"])
        }
        return String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).compactMap { line in
            let parts = line.split(separator: "\t# ", maxSplits: 1)
            guard parts.count == 2, let equals = parts[0].firstIndex(of: "=") else { return nil }
            return Report.Setting(
                program: sibling.rawValue, name: String(parts[0][..<equals]),
                value: String(parts[0][parts[0].index(after: equals)...]), origin: String(parts[1]))
        }
    }
}
