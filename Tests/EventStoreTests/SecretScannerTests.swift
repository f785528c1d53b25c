import Crypto
import DatabaseCore
import JSON
import Platform
import Shared
import Testing

@testable import EventStore

struct SecretScannerTests {
    /// Shaped like secrets, made for this test.
    static let secrets: [(rule: String, text: String)] = {
        let r20 = "aB3dE6gH9jK2mN5pQ8sT"
        let r40 = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz"
        return [
            ("anthropic_api_key", "sk-ant-api03-\(r20)-_\(r20)"),
            ("aws_access_key_id", "AKIAIOSFODNN7ABCDEFG"),
            ("aws_access_key_id", "ASIAIOSFODNN7ABCDEFG"),
            ("aws_secret_access_key", "aws_secret_access_key = \(r40)"),
            ("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY=\(r40)"),
            ("aws_secret_access_key", "export TF_VAR_aws_secret_access_key=\(r40)"),
            ("aws_secret_access_key", "\"SecretAccessKey\": \"\(r40)\""),
            ("aws_secret_access_key", "secretAccessKey: '\(r40)'"),
            ("bearer_token", "Bearer abcdefgh1"),
            ("bearer_token", "authorization: bearer \(r20)\(r20)"),
            ("bearer_token", "Bearer   abcdefghijklmnopqrstuvwxyz"),
            ("github_pat", "ghp_\(r20)"), ("github_pat", "gho_\(r20)"), ("github_pat", "ghu_\(r20)"),
            ("github_pat", "ghs_\(r20)"), ("github_pat", "ghr_\(r20)"), ("github_pat", "github_pat_11ABC_\(r20)"),
            ("gitlab_pat", "glpat-\(r20)"),
            ("google_api_key", "AIzaSy\(r20)-_12345678901"),
            ("huggingface_token", "hf_\(r20)abcdefghijklmn"),
            ("json_web_token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"),
            ("openai_api_key", "sk-\(r20)"), ("openai_api_key", "sk-proj-\(r20)_-\(r20)"),
            ("openai_api_key", "sk-svcacct-\(r20)"),
            ("private_key", "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----"),
            ("private_key", "-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----"),
            ("private_key", "-----BEGIN OPENSSH PRIVATE KEY-----\nMIIabc, and then it was cut"),
            ("private_key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nMIIabc\n-----END PGP PRIVATE KEY BLOCK-----"),
            ("slack_token", "xoxb-12345678901-abc"), ("slack_token", "xoxp-12345678901-abc"),
            ("slack_token", "xoxa-12345678901-abc"), ("slack_token", "xoxs-12345678901-abc"),
            ("slack_token", "xoxc-12345678901-abc"), ("slack_token", "xoxd-12345678901-abc"),
            ("url_password", "postgres://app:hunter2@db.internal/app"),
            ("url_password", "https://user:p%40ss:word@example.com"),
            ("agentos_token", "aos_\(r20)\(r20)abc"), ("agentos_token", "engtok_\(r20)\(r20)-_c"),
        ]
    }()

    static let harmless = [
        "task-aB3dE6gH9jK2mN5pQ8sT", "risk-0123456789abcdef01234567", "disk-encryption-of-all-machines-is-on",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "engtok_0123456789abcdef0123456789abcdef", "engtok_01J0000000000000000000000A", "aos_run_1",
        "Bearer of news", "the bearer of this letter", "Bearer ", "a bearer\nof", "Bearer ${{ secrets.API_TOKEN }}",
        "https://example.com/a:b@c", "https://example.com:8443/path", "https://user@example.com/",
        "https://user:@example.com/", "http://[::1]:8080/x", "see https://example.com, or a@b.c: both",
        "${{ secrets.X }}", "https://user:${{ secrets.X }}@example.com", "https://u:${{secrets.X}}@example.com",
        "-----BEGIN PUBLIC KEY-----\nMIIabc\n-----END PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----",
        "AKIAIOSFODNN7ABCDEFGH", "AKIAshort", "XAKIAIOSFODNN7ABCDEFG", "sk-short", "ghp_short", "github_pat_short",
        "glpat-short", "xoxb-1", "xoxz", "AIzaShort", "hf_short", "shelf_0123456789012345678901234567890123",
        "eyJhbGciOiJIUzI1NiJ9", "eyJ.eyJ.x", "aws_secret_access_key", "aws_secret_access_key = short",
        "018f0000-0000-7000-8000-000000000001", "run_01J0000000000000000000000A", "", "[redacted]",
    ]

    @Test("Each shape of secret is found by its rule", arguments: secrets)
    func positives(_ rule: String, _ secret: String) throws {
        for text in [secret, "before \(secret)", "(\(secret)\nafter", "{\"k\":\"\(secret)\"}"] {
            let json = JSON.canonical(["summary": .string(text)])
            let redacted = try #require(SecretScanner.redact(json), "\(text)")
            #expect(redacted.matches.map(\.ruleID) == [rule], "\(text)")
            #expect(redacted.value["summary"]?.stringValue?.contains("[redacted]") == true)
            let heart = String(secret.suffix(12).prefix(8))
            let isURL = rule == "url_password"
            #expect(isURL || !String(decoding: redacted.bytes, as: UTF8.self).contains(heart), "\(text)")
            #expect(!redacted.matches[0].matchPreview.contains(heart))
            // Once is enough: what is redacted is clean.
            #expect(SecretScanner.redact(redacted.bytes) == nil, "\(text)")
        }
    }

    @Test("What only looks a little like one is left alone", arguments: harmless)
    func negatives(_ text: String) {
        #expect(SecretScanner.redact(JSON.canonical(["summary": .string(text)])) == nil)
        #expect(SecretScanner.redact(JSON.canonical([.string("see \(text)")])) == nil)
    }

    @Test("A password in a URL goes, its host stays")
    func urls() throws {
        let redacted = try #require(
            SecretScanner.redact(JSON.canonical(["u": "x postgres://app:hunter2@db.internal/app y"])))
        #expect(redacted.value["u"] == "x postgres[redacted]@db.internal/app y")
    }

    @Test("Every value and every key at every depth is looked at; the rest stays as it is")
    func structure() throws {
        let secret = "ghp_aB3dE6gH9jK2mN5pQ8sT"
        let value: JSONValue = [
            "z": [1, 2.5, nil, true, ["deep": ["deeper": .string("a \(secret) b")]]], "a": "kept",
            "list": [.string(secret), "kept"],
        ]
        var object = value.objectValue!
        object["key \(secret)"] = "value of a key"
        let redacted = try #require(SecretScanner.redact(JSON.canonical(.object(object))))
        #expect(redacted.matches.count == 3)
        #expect(
            redacted.value == [
                "z": [1, 2.5, nil, true, ["deep": ["deeper": "a [redacted] b"]]], "a": "kept",
                "list": ["[redacted]", "kept"], "key [redacted]": "value of a key",
            ])
        #expect(JSON.canonical(try JSON.parse(redacted.bytes)) == redacted.bytes)
    }

    @Test("A member that is named like an AWS secret and has its shape is one")
    func members() throws {
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz"
        for name in ["aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "SecretAccessKey", "secretAccessKey"] {
            let redacted = try #require(
                SecretScanner.redact(JSON.canonical(["Credentials": [name: .string(key)]])), "\(name)")
            #expect(redacted.value == ["Credentials": [name: "[redacted]"]])
            #expect(redacted.matches.map(\.ruleID) == ["aws_secret_access_key"])
            #expect(!redacted.matches[0].matchPreview.contains("wJal"))
            #expect(
                SecretScanner.firstSecret(in: ["Credentials": [name: .string(key)]])?.pointer == "/Credentials/\(name)")
            #expect(SecretScanner.redact(JSON.canonical([name: "too short"])) == nil)
        }
    }

    @Test("Several secrets in one text all go, and all are counted")
    func several() throws {
        let text = (0..<30).map { "ghp_aB3dE6gH9jK2mN5pQ8s\($0)" }.joined(separator: " ")
        let redacted = try #require(SecretScanner.redact(JSON.canonical(["t": .string(text)])))
        #expect(redacted.value["t"]?.stringValue == Array(repeating: "[redacted]", count: 30).joined(separator: " "))
        #expect(redacted.matches.count == 30)
    }

    @Test("The first secret of a value is named by its pointer")
    func pointers() {
        let secret = "ghp_aB3dE6gH9jK2mN5pQ8sT"
        let found = SecretScanner.firstSecret(in: ["steps": [["with": ["a/b": .string(secret)]]]])
        #expect(found?.pointer == "/steps/0/with/a~1b" && found?.ruleID == "github_pat")
        #expect(SecretScanner.firstSecret(in: ["a": ["b"], "c": 1]) == nil)
    }

    @Test("A redacted event says so, and two more events tell what was found without telling it")
    func recorded() throws {
        let bench = try Bench()
        let secret = "ghp_aB3dE6gH9jK2mN5pQ8sT"
        var draft = note("the token is \(secret), and sk-aB3dE6gH9jK2mN5pQ8sT")
        draft.policyContext = ["header": "Bearer aB3dE6gH9jK2mN5pQ8sT"]
        let events = try bench.append(draft)
        #expect(events.map(\.envelope.eventType) == ["run.completed", "event.redacted", "secret.leaked.detected"])
        let target = events[0].envelope
        #expect(target.redactionLevel == .partial && target.containsSecrets)
        guard case .run(.completed(let completed)) = events[0].event,
            case .system(.eventRedacted(let mark)) = events[1].event,
            case .system(.secretLeakedDetected(let leak)) = events[2].event
        else {
            Issue.record("the events are of other types")
            return
        }
        // What projectors are given is what a rebuild will read.
        #expect(completed.summary == "the token is [redacted], and [redacted]")
        #expect(
            mark.targetEventID == target.eventID && mark.reason == "dlp_secret_detected"
                && mark.intendedRedactionLevel == .partial)
        #expect(
            leak.sourceEventID == target.eventID && leak.sourceEventType == "run.completed"
                && leak.scannerVersion == "dlp_v2")
        #expect(
            leak.matchCount == 3 && leak.ruleIDs == ["bearer_token", "github_pat", "openai_api_key"]
                && leak.matches.count == 3)
        #expect(events[2].envelope.containsSecrets && !events[1].envelope.containsSecrets)
        #expect(
            events.dropFirst().allSatisfy {
                $0.envelope.actor == .secretScanner && $0.envelope.causationID == target.eventID
            })
        #expect(events.allSatisfy { $0.envelope.stream == target.stream })
        #expect(try bench.stored().map(\.envelope) == events.map(\.envelope))
        #expect(try bench.verify().valid)
    }

    @Test("The list of matches is short, the count is whole")
    func manyMatches() throws {
        let bench = try Bench()
        let text = (0..<30).map { "ghp_aB3dE6gH9jK2mN5pQ8s\($0)" }.joined(separator: " ")
        let events = try bench.append(note(text))
        guard case .system(.secretLeakedDetected(let leak)) = events[2].event else {
            Issue.record("no event about the leak")
            return
        }
        #expect(leak.matchCount == 30 && leak.matches.count == SecretScanner.matchesMax)
    }

    @Test("Nothing of a secret is in the files of the database")
    func files() throws {
        let bench = try Bench()
        for (index, secret) in Self.secrets.enumerated() {
            var draft = note("\(index): \(secret.text)")
            draft.policyContext = ["seen": .string(secret.text)]
            try bench.append(draft, room("\(index)", RoomID("room_\(index)"), topic: secret.text))
        }
        func bytes() throws -> [UInt8] {
            if !Bench.isSQLite {
                return try bench.database.read { transaction in
                    try ["evt_events", "evt_stream_heads", "evt_subjects"].flatMap { table in
                        try transaction.all(SQL(unsafeText: "SELECT row_to_json(t)::text AS row FROM \(table) t")) {
                            try $0.bytes("row")
                        }
                    }.flatMap(\.self)
                }
            }
            return try ["", "-wal"].flatMap { tail in
                Files.exists(bench.path + tail) ? try Files.read(bench.path + tail, bytesMax: 1 << 30) : []
            }
        }
        let all = String(decoding: try bytes(), as: UTF8.self)
        #expect(all.contains("[redacted]"))
        // The heart of every secret; the passwords of URLs by name.
        let hearts = [
            "aB3dE6gH9jK2mN5p", "wJalrXUtnFEMI", "hunter2", "p%40ss", "MIIabc", "IOSFODNN7", "12345678901-abc",
            "eyJzdWIi", "dozjgNry",
        ]
        for heart in hearts { #expect(!all.utf8.contains(heart.utf8), "\(heart)") }
        // The search can find: what is no secret is there.
        #expect(all.utf8.contains("scanner_version".utf8))
    }

    @Test("The scanner is quick on what holds nothing")
    func speed() {
        let json = JSON.canonical([
            "text": .string(
                String(repeating: "An ordinary line of a log, with numbers 12345 and-dashes.\n", count: 400))
        ])
        let start = ContinuousClock.now
        for _ in 0..<10 { #expect(SecretScanner.redact(json) == nil) }
        // 230 kB of text; even an unoptimised build takes a fraction of this.
        #expect(ContinuousClock.now - start < .seconds(20))
    }
}

extension String.UTF8View {
    fileprivate func contains(_ other: String.UTF8View) -> Bool { Array(self).firstRange(of: Array(other)) != nil }
}
