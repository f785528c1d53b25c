import JSON

/// One shape of secret: how it begins, and how far it goes.
struct SecretRule: Sendable {
    struct Match {
        var rule: SecretRule
        var range: Range<Int>
    }

    let id: String
    /// The bytes every match begins with.
    let prefix: [UInt8]
    /// Whether a letter or digit may stand before the match.
    let isWordBounded: Bool
    /// The end of the match that begins with the prefix at the index, or nil.
    let end: @Sendable (_ bytes: [UInt8], _ afterPrefix: Int) -> Int?

    private init(
        _ id: String, _ prefix: String, isWordBounded: Bool = true,
        _ end: @escaping @Sendable (_ bytes: [UInt8], _ afterPrefix: Int) -> Int?
    ) {
        (self.id, self.prefix, self.isWordBounded, self.end) = (id, Array(prefix.utf8), isWordBounded, end)
    }

    static let all: [SecretRule] = distinctive + awsSecrets + slack

    private static let distinctive: [SecretRule] = [
        SecretRule("anthropic_api_key", "sk-ant-", run(of: ["-", "_"], atLeast: 20)),
        SecretRule("aws_access_key_id", "AKIA", exactly(16) { isUpper($0) || isDigit($0) }),
        SecretRule("aws_access_key_id", "ASIA", exactly(16) { isUpper($0) || isDigit($0) }),
        SecretRule("bearer_token", "Bearer ", bearer),
        SecretRule("bearer_token", "bearer ", bearer),
        SecretRule("github_pat", "ghp_", run(of: [], atLeast: 20)),
        SecretRule("github_pat", "gho_", run(of: [], atLeast: 20)),
        SecretRule("github_pat", "ghu_", run(of: [], atLeast: 20)),
        SecretRule("github_pat", "ghs_", run(of: [], atLeast: 20)),
        SecretRule("github_pat", "ghr_", run(of: [], atLeast: 20)),
        SecretRule("github_pat", "github_pat_", run(of: ["_"], atLeast: 20)),
        SecretRule("gitlab_pat", "glpat-", run(of: ["-", "_"], atLeast: 16)),
        SecretRule("google_api_key", "AIza", run(of: ["-", "_"], atLeast: 35)),
        SecretRule("huggingface_token", "hf_", run(of: [], atLeast: 30)),
        SecretRule("json_web_token", "eyJ", jsonWebToken),
        SecretRule("openai_api_key", "sk-proj-", run(of: ["-", "_"], atLeast: 20)),
        SecretRule("openai_api_key", "sk-svcacct-", run(of: ["-", "_"], atLeast: 20)),
        SecretRule("openai_api_key", "sk-", run(of: [], atLeast: 20)),
        SecretRule("private_key", "-----BEGIN ", isWordBounded: false, privateKey),
        SecretRule("url_password", "://", isWordBounded: false, urlPassword),
        SecretRule("agentos_token", "aos_", run(of: ["-", "_"], atLeast: 43)),
        SecretRule("agentos_token", "engtok_", run(of: ["-", "_"], atLeast: 43)),
        SecretRule("agentos_token", "atk_", run(of: ["-", "_"], atLeast: 43)),
        SecretRule("agentos_token", "rtk_", run(of: ["-", "_"], atLeast: 43)),
    ]

    private static let slack = "abcdeoprs".map { SecretRule("slack_token", "xox\($0)-", run(of: ["-"], atLeast: 10)) }

    private static let awsSecrets = awsSecretNames.map {
        SecretRule(awsSecretID, $0, isWordBounded: false, assignment(of: awsSecretBytes))
    }

    /// These keys look like nothing; what they stand beside gives them away.
    private static let awsSecretNames = [
        "aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "SecretAccessKey", "secretAccessKey",
    ]
    private static let awsSecretID = "aws_secret_access_key"
    private static let awsSecretBytes = 40

    /// The rule by which the member of an object is a secret because of its name and its shape together.
    static func named(_ key: String, _ member: JSONValue) -> String? {
        guard case .string(let text) = member, text.utf8.count == awsSecretBytes,
            awsSecretNames.contains(where: key.hasSuffix), text.utf8.allSatisfy(isBase64)
        else { return nil }
        return awsSecretID
    }

    /// The rules by the first byte of their prefix.
    private static let byFirstByte: [[SecretRule]] = {
        var table = [[SecretRule]](repeating: [], count: 256)
        for rule in all { table[Int(rule.prefix[0])].append(rule) }
        return table
    }()

    /// A cheap look: false means that no rule can match. It reads raw JSON, where a prefix may stand escaped only if
    /// it has quotes or backslashes, and none has.
    static func mayMatch(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { bytes -> Bool in
            for index in bytes.indices {
                for rule in byFirstByte[Int(bytes[index])] where begins(rule.prefix, bytes, index) { return true }
            }
            return false
        }
    }

    /// All matches, first first; they do not overlap.
    static func matches(in bytes: [UInt8]) -> [Match] {
        var found: [Match] = []
        var index = 0
        while index < bytes.count {
            if let match = match(in: bytes, at: index) {
                found.append(match)
                index = match.range.upperBound
            } else {
                index += 1
            }
        }
        return found
    }

    private static func match(in bytes: [UInt8], at index: Int) -> Match? {
        for rule in byFirstByte[Int(bytes[index])] {
            let isBegun = bytes.withUnsafeBufferPointer { begins(rule.prefix, $0, index) }
            guard isBegun, !rule.isWordBounded || index == 0 || !isWord(bytes[index - 1]) else { continue }
            if let end = rule.end(bytes, index + rule.prefix.count) {
                return Match(rule: rule, range: index..<end)
            }
        }
        return nil
    }

    private static func begins(_ prefix: [UInt8], _ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> Bool {
        guard index + prefix.count <= bytes.count else { return false }
        for offset in prefix.indices where bytes[index + offset] != prefix[offset] { return false }
        return true
    }

    // MARK: How a match goes on

    private static func run(
        of extra: [Unicode.Scalar], atLeast count: Int
    ) -> @Sendable ([UInt8], Int) -> Int? {
        let extra = extra.map { UInt8(ascii: $0) }
        return { bytes, start in
            let end = skip(bytes, from: start) { isAlphanumeric($0) || extra.contains($0) }
            return end - start >= count ? end : nil
        }
    }

    private static func exactly(
        _ count: Int, _ isPart: @escaping @Sendable (UInt8) -> Bool
    ) -> @Sendable ([UInt8], Int) -> Int? {
        { bytes, start in
            let end = skip(bytes, from: start, isPart)
            return end - start == count && (end == bytes.count || !isWord(bytes[end])) ? end : nil
        }
    }

    /// `name = value` or `"name": "value"` with a value of so many base64 characters.
    private static func assignment(of count: Int) -> @Sendable ([UInt8], Int) -> Int? {
        { bytes, start in
            let valueAt = skip(bytes, from: start) { " =:\"'\\\t".utf8.contains($0) }
            guard valueAt > start else { return nil }
            let end = skip(bytes, from: valueAt, isBase64)
            return end - valueAt == count ? end : nil
        }
    }

    /// RFC 6750's b64token. Prose such as "Bearer of news" is no token: a token has a digit or is long.
    @Sendable private static func bearer(_ bytes: [UInt8], _ start: Int) -> Int? {
        let tokenAt = skip(bytes, from: start) { $0 == UInt8(ascii: " ") }
        let end = skip(bytes, from: tokenAt) { isAlphanumeric($0) || "-._~+/=".utf8.contains($0) }
        let token = bytes[tokenAt..<end]
        return token.count >= 24 || (token.count >= 8 && token.contains(where: isDigit)) ? end : nil
    }

    @Sendable private static func jsonWebToken(_ bytes: [UInt8], _ start: Int) -> Int? {
        func part(_ from: Int) -> Int {
            skip(bytes, from: from) { isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        }
        func dot(_ at: Int) -> Bool { at < bytes.count && bytes[at] == UInt8(ascii: ".") }
        let header = part(start)
        guard header - start >= 8, dot(header) else { return nil }
        let claims = part(header + 1)
        guard claims - header > 8, dot(claims) else { return nil }
        return part(claims + 1)
    }

    @Sendable private static func privateKey(_ bytes: [UInt8], _ start: Int) -> Int? {
        let kind = skip(bytes, from: start) { isUpper($0) || isDigit($0) || $0 == UInt8(ascii: " ") }
        // `PRIVATE KEY`, `RSA PRIVATE KEY`, `PGP PRIVATE KEY BLOCK` …
        guard String(decoding: bytes[start..<kind], as: UTF8.self).contains("PRIVATE KEY") else { return nil }
        // Up to the end mark; a key without one is cut off and still a key.
        let mark = Array("-----END ".utf8)
        var index = kind
        while index + mark.count <= bytes.count {
            if bytes[index] == mark[0], bytes[index...].starts(with: mark) {
                let end = skip(bytes, from: index + mark.count) { $0 != UInt8(ascii: "-") }
                return skip(bytes, from: end) { $0 == UInt8(ascii: "-") }
            }
            index += 1
        }
        return bytes.count
    }

    /// `scheme://user:password@host`
    @Sendable private static func urlPassword(_ bytes: [UInt8], _ start: Int) -> Int? {
        let end = skip(bytes, from: start) { $0 > 0x20 && !"/?#\"'<>".utf8.contains($0) }
        guard let at = bytes[start..<end].lastIndex(of: UInt8(ascii: "@")),
            let colon = bytes[start..<at].firstIndex(of: UInt8(ascii: ":")), colon + 1 < at,
            !String(decoding: bytes[colon + 1..<at], as: UTF8.self).hasPrefix("${{")
        else { return nil }
        return at
    }

    private static func skip(_ bytes: [UInt8], from start: Int, _ isPart: (UInt8) -> Bool) -> Int {
        var index = start
        while index < bytes.count, isPart(bytes[index]) { index += 1 }
        return index
    }

    private static func isUpper(_ byte: UInt8) -> Bool { byte >= 65 && byte <= 90 }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || isUpper(byte) || (byte >= 97 && byte <= 122)
    }
    private static func isBase64(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || "/+=".utf8.contains(byte) }
    private static func isWord(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == UInt8(ascii: "_") }
}
