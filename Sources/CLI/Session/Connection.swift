import Platform
import Shared

/// Where the api is and who is calling, as the environment says.
package struct Connection: Sendable {
    package static let urlDefault = "http://127.0.0.1:7717"
    /// Where an api that was installed for the whole machine keeps its data; only its own user and root can look into it.
    package static let systemDirectory = "/var/lib/agentos"
    private static let fileBytesMax = 1 << 20
    private static let tokenBytesMax = 4096

    /// Where a token was looked for, and what came of it.
    package enum TokenSource: Hashable, Sendable {
        case environment
        case file(String)
        /// The reason it cannot be read.
        case none(path: String, reason: String)
    }

    package var url: String
    package var token: String?
    package var tokenSource: TokenSource
    package var dataDirectory: String
    /// Who says where the api is: `environment`, `aos up` or `default`.
    package var urlOrigin: String

    package init(
        url: String, token: String?, tokenSource: TokenSource = .environment, dataDirectory: String = "",
        urlOrigin: String = "environment"
    ) {
        (self.url, self.token, self.tokenSource) = (url, token, tokenSource)
        (self.dataDirectory, self.urlOrigin) = (dataDirectory, urlOrigin)
    }

    /// - Throws: Every fault of the settings, exit 78.
    package static func read(_ environment: [String: String]) throws(Failure) -> Connection {
        var settings = try settings(environment)
        let url = settings.value("AOS_API_URL", allowed: "an address such as \(urlDefault)") {
            $0.hasPrefix("http://") ? $0 : nil
        }
        let directory = directory(&settings, environment)
        // Whoever has started it here with `aos up --port` need not say so again.
        let supervised = url == nil ? SupervisorFile(directory).read() : nil
        let found = supervised?.isThere == true ? supervised?.supervision.url : nil
        var (token, source) = (settings.secret("AOS_TOKEN"), TokenSource.environment)
        if token == nil { (token, source) = tokenFile(directory) }
        settings.refuseUnknownNames()
        guard settings.faults.isEmpty else { throw faults(settings.faults) }
        return Connection(
            url: url ?? found ?? urlDefault, token: token, tokenSource: source, dataDirectory: directory,
            urlOrigin: url != nil ? "environment" : found != nil ? "aos up" : "default")
    }

    /// As the environment says; else the user's own, if an api has been there; else the machine's, if this user may see it.
    private static func directory(_ settings: inout Settings, _ environment: [String: String]) -> String {
        let named = settings.dataDirectory(environment)
        let isTold = ["AOS_DATA_DIR", "STATE_DIRECTORY"].contains { !(environment[$0] ?? "").isEmpty }
        if isTold || Files.exists("\(named)/operator.token") { return named }
        return Files.exists("\(systemDirectory)/operator.token") ? systemDirectory : named
    }

    /// What to do when the api does not know the caller.
    package var tokenAdvice: String {
        switch tokenSource {
        case .environment: "AOS_TOKEN is not this api's token; its own is in operator.token of its data directory"
        case .file(let path): "\(path) is not this api's token: set AOS_DATA_DIR to the data directory of this api"
        case .none(let path, let reason):
            "no token at \(path) (\(reason)): set AOS_TOKEN, or AOS_DATA_DIR"
                + (Files.exists(Self.systemDirectory) && Program.userID != 0 ? ", or ask as root: sudo aos …" : "")
        }
    }

    /// The environment, and over it the file it names.
    private static func settings(_ environment: [String: String]) throws(Failure) -> Settings {
        guard let path = environment["AOS_ENV_FILE"], !path.isEmpty else { return Settings(environment: environment) }
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try Files.read(path, bytesMax: fileBytesMax) } catch {
            throw Failure(.configuration, "AOS_ENV_FILE: \(error)")
        }
        let parsed = Settings.parseFile(String(decoding: bytes, as: UTF8.self), name: path)
        guard parsed.faults.isEmpty else { throw faults(parsed.faults) }
        return Settings(environment: environment, file: parsed.values, fileName: path)
    }

    private static func faults(_ faults: [Settings.Fault]) -> Failure {
        Failure(
            .configuration, faults.count == 1 ? "\(faults[0])" : "\(faults.count) settings are wrong",
            lines: faults.count == 1 ? [] : faults.map(\.description), next: ["aos help environment"])
    }

    private static func tokenFile(_ directory: String) -> (String?, TokenSource) {
        let path = directory + "/operator.token"
        do throws(SystemError) {
            let text = String(decoding: try Files.read(path, bytesMax: tokenBytesMax), as: UTF8.self)
            guard let token = text.split(whereSeparator: \.isWhitespace).first else {
                return (nil, .none(path: path, reason: "the file is empty"))
            }
            return (String(token), .file(path))
        } catch {
            let reason = error.isNotFound ? "no such file" : error.isDenied ? "permission denied" : "\(error)"
            return (nil, .none(path: path, reason: reason))
        }
    }
}
