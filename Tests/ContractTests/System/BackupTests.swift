import API
import APIClient
import Crypto
import DatabaseCore
import EventStore
import HTTP
import HTTPClient
import JSON
import Platform
import PostgresTestSupport
import Shared
import TestSupport
import Testing

@Suite("A backup")
struct BackupTests {
    /// A history with a blob, a held run and a session, and its backup.
    private struct Made {
        let folder: TemporaryFolder
        let bytes: [UInt8]
        var path: String { "\(folder.path)/backup.tar" }
        var target: String { "\(folder.path)/restored" }

        init(_ api: TestAPI) throws {
            folder = try TemporaryFolder()
            bytes = try api.backup()
            try Files.writeAtomically(bytes, to: path)
        }

        /// The file with other bytes.
        func write(_ bytes: [UInt8]) throws { try Files.writeAtomically(bytes, to: path) }
    }

    @Test("is of one moment, declared before it leaves, and holds all there was", arguments: Transports.allCases)
    func whole(_ transports: Transports) throws {
        try withAPI(transports) { api in
            let (run, sha256) = try api.runWithBlob()
            let before = try api.lastGlobalSeq()
            let made = try Made(api)
            let manifest = try BackupFile.check(made.path)
            #expect(
                (manifest.globalSeq, manifest.events, manifest.blobs, manifest.missingBlobs) == (before, before, 1, 0))
            let declared = try api.system("log.backed_up")
            #expect(declared.count == 1)
            #expect(declared.first?.globalSeq == before + 1)
            #expect(declared.first?.data["database_sha256"]?.stringValue == manifest.databaseSha256)
            // Any tar and sha256sum can open it.
            let names = made.bytes.tarMembers.map(\.name)
            #expect(Array(names.prefix(4)) == ["manifest.json", "aos.db", "operator.token", "token.key"])
            #expect(names.last == "SHA256SUMS" && names.contains { $0.hasSuffix(sha256) })
            for member in made.bytes.tarMembers where member.name != "SHA256SUMS" {
                let line = "\(SHA256.hex(Array(made.bytes[member.range])))  \(member.name)\n"
                #expect(made.bytes.contains(Array(line.utf8)), "\(member.name)")
            }
            _ = run
        }
    }

    @Test("is what a restored api goes on from, and history says so")
    func restored() throws {
        try withAPI { api in
            let (run, sha256) = try api.runWithBlob()
            let held = try api.run(in: api.room())
            let hold = try api.hold("engine-b")
            #expect(hold.run.runID == held)
            let made = try Made(api)
            let before = try api.events(run)
            let report = try BackupFile.restore(made.path, into: made.target, reason: "a drill")
            #expect((report.endedLeases, report.previousGlobalSeq, report.movedTo) == (1, nil, nil))
            #expect(try BackupFile.rehearse(made.path).directory == nil)

            try api.replaceData(by: made.target)
            let restored = try api.system("log.restored")
            #expect(restored.count == 1 && restored.first?.globalSeq == report.backup.globalSeq + 1)
            #expect(restored.first?.data["reason"] == "a drill" && restored.first?.actorID == "operator")
            #expect(try api.events(run).prefix(before.count) == before[...])
            // Whoever held the run has lost it, and it is queued again.
            #expect(try api.status(held) == .queued)
            let late = try Hold(client: api.engine("engine-b"), run: hold.run).onRun("complete", [:])
            #expect(late.status == 409, "\(late.text)")
            // What left the machine after the backup is not known: nothing more leaves before somebody has looked.
            let killSwitch = try api.operator.call(.killSwitch, Nothing()).killSwitch
            #expect(killSwitch.engagedByOperator && killSwitch.reason?.contains("restored from the backup") == true)
            // Engines are known, contents are there.
            let next = try api.engine("engine-b").call(.claimRun, ClaimRun(plan: "any"))
            #expect(next.run?.runID == held && (next.run?.attemptNo ?? 0) == 2)
            let artifact = try #require(
                try api.operator.call(.artifacts, Nothing()).artifacts.first { $0.sha256 == sha256 })
            let content = try api.operator.get("/v1/artifacts/\(artifact.artifactID)/content")
            #expect(content.status == 200 && SHA256.hex(content.response.body) == sha256)
        }
    }

    @Test("goes into an empty directory, or moves what is there aside, its heads too")
    func notEmpty() throws {
        guard TestBackends.chosen == .sqlite else { return }
        try withAPI { api in
            _ = try api.runWithBlob()
            let made = try Made(api)
            _ = try api.room("after the backup")
            let end = try api.lastGlobalSeq()
            api.stop()
            let error = #expect(throws: StartFailure.self) { try BackupFile.restore(made.path, into: api.folder.path) }
            #expect(error?.description.contains("--force") == true)
            let report = try BackupFile.restore(made.path, into: api.folder.path, isForced: true)
            let aside = try #require(report.movedTo)
            #expect(report.previousGlobalSeq.map { $0 > end } == true)
            #expect(Files.exists("\(aside)/aos.db") && Files.exists("\(aside)/operator.token"))
            #expect(!Files.exists("\(api.folder.path)/aos.db-wal"))
            let old = try Files.list("\(api.folder.path)/audit").filter { $0.hasPrefix("before-restore-") }
            #expect(old.count == 1 && Files.exists("\(api.folder.path)/audit/\(old[0])/heads.ndjson"))
            // The old log can still be opened where it is.
            let kept = try Storage.open(.sqlite(path: "\(aside)/aos.db"))
            defer { kept.close() }
            #expect(try kept.read { try EventQueries.lastGlobalSeq(in: $0) } == report.previousGlobalSeq)
            // The shorter log is no cut one: `withAPI` verifies it, with the head file that it has begun anew.
            try api.restart()
            let data = try #require(try api.system("log.restored").first?.data)
            #expect(data["previous_global_seq"]?.intValue == report.previousGlobalSeq)
            #expect(data["previous_root"]?.stringValue?.hasPrefix("sha256:") == true)
        }
    }

    @Test("of a directory in use is not restored into it, and a restore that was cut off keeps the api from starting")
    func inUse() throws {
        guard TestBackends.chosen == .sqlite else { return }
        try withAPI { api in
            let made = try Made(api)
            let error = #expect(throws: StartFailure.self) {
                try BackupFile.restore(made.path, into: api.folder.path, isForced: true)
            }
            #expect(error?.description.contains("in use by another api") == true)
            api.stop()
            let mark = "\(api.folder.path)/restore.unfinished"
            try Files.writeAtomically([], to: mark)
            let refused = #expect(throws: StartFailure.self) { try api.restart() }
            #expect(refused?.description.contains("was cut off") == true)
            _ = try BackupFile.restore(made.path, into: api.folder.path, isForced: true)
            #expect(!Files.exists(mark))
            try api.restart()
        }
    }

    @Test("with one wrong byte anywhere, cut off, or longer, is refused and leaves nothing")
    func damaged() throws {
        try withAPI { api in
            _ = try api.runWithBlob()
            let made = try Made(api)
            let members = made.bytes.tarMembers
            let random = SeededEntropy(seed: 5)
            // Of every member: its head, its first, middle and last byte, the bytes behind it; and places by chance.
            var places = members.flatMap { member -> [Int] in
                let (start, end) = (member.range.lowerBound, member.range.upperBound)
                return [
                    start - 512, start - 400, start - 388, start - 364, start - 356, start - 1, start, end - 1, end,
                ]
                    + [(start + end) / 2]
            }
            places += (0..<100).map { _ in Int(random.bytes(4).reduce(0) { $0 << 8 | UInt32($1) }) % made.bytes.count }
            places += [made.bytes.count - 1, made.bytes.count - 1024]
            for place in Set(places) {
                var bytes = made.bytes
                bytes[place] ^= 1 << (place % 8)
                try made.write(bytes)
                #expect(throws: BackupFault.self, "byte \(place)") { try BackupFile.check(made.path) }
            }
            for length in [0, 1, 511, 512, 1024, made.bytes.count / 2, made.bytes.count - 512, made.bytes.count - 1] {
                try made.write(Array(made.bytes.prefix(length)))
                #expect(throws: BackupFault.self, "\(length) bytes") { try BackupFile.check(made.path) }
            }
            for more in [[0], [UInt8](repeating: 0, count: 512), made.bytes] {
                try made.write(made.bytes + more)
                #expect(throws: BackupFault.self) { try BackupFile.check(made.path) }
            }
            // A fault in what comes last leaves as little as one in what comes first.
            var bytes = made.bytes
            bytes[members[members.count - 1].range.upperBound - 2] ^= 1
            try made.write(bytes)
            let error = #expect(throws: BackupFault.self) { try BackupFile.restore(made.path, into: made.target) }
            #expect(error?.description.contains("SHA256SUMS") == true)
            #expect(try Files.list(made.target).filter { $0 != "lock" && $0 != "tmp" } == [])
            #expect(try Files.list("\(made.target)/tmp") == [])
        }
    }

    @Test("with a member too few, too many, twice, renamed, out of the folder or of impossible size is refused")
    func forged() throws {
        try withAPI { api in
            _ = try api.runWithBlob()
            let made = try Made(api)
            let blocks = made.bytes.tarBlocks
            let end = [UInt8](repeating: 0, count: 1024)
            func expectRefused(_ what: String, _ blocks: [[UInt8]], _ tail: [UInt8]? = nil) throws {
                try made.write(blocks.flatMap(\.self) + (tail ?? end))
                #expect(throws: BackupFault.self, "\(what)") { try BackupFile.rehearse(made.path) }
            }
            for index in blocks.indices {
                var fewer = blocks
                fewer.remove(at: index)
                try expectRefused("without \(index)", fewer)
                try expectRefused("\(index) twice", Array(blocks[...index] + Array(blocks[index...])))
                var swapped = blocks
                swapped.swapAt(index, (index + 1) % blocks.count)
                try expectRefused("\(index) swapped", swapped)
            }
            for name in [
                "../escape", "/etc/passwd", "blobs/../../x", "aos.db-wal",
                "blobs/\(String(repeating: "a", count: 32))/..", "x",
            ] {
                for index in [1, blocks.count - 1, blocks.count] {
                    var more = blocks
                    more.insert(TarForgery.member(name, Array("x".utf8)), at: index)
                    try expectRefused("\(name) at \(index)", more)
                }
            }
            // A link, and a size that the file does not have.
            for change in [(156, "2"), (156, "5"), (124, "77777777777"), (124, "\u{0}0000000000")] {
                var forged = blocks
                forged[1] = TarForgery.changed(forged[1], at: change.0, Array(change.1.utf8))
                try expectRefused("\(change)", forged)
            }
            #expect(!Files.exists("\(made.folder.path)/escape"))
            try made.write(Array("PK\u{3}\u{4} something else".utf8))
            #expect(throws: BackupFault.self) { try BackupFile.check(made.path) }
        }
    }

    @Test("of a log that does not hold, or whose read models are not its own, is not called good")
    func untrue() throws {
        guard TestBackends.chosen == .sqlite else { return }
        let api = try TestAPI(.router)
        defer { api.stop() }
        _ = try api.runWithBlob()
        try api.restart { try api.damage("UPDATE proj_rooms SET title = 'another'") }
        let made = try Made(api)
        _ = try BackupFile.check(made.path)
        let error = #expect(throws: BackupFault.self) { try BackupFile.rehearse(made.path) }
        #expect(error?.description.contains("proj_rooms") == true)
        #expect(throws: BackupFault.self) { try BackupFile.restore(made.path, into: made.target) }
        // The log itself is looked at before anything is handed out.
        try api.restart {
            try api.damage("DROP TRIGGER evt_events_are_only_erased")
            try api.damage("UPDATE evt_events SET actor_id = 'somebody' WHERE global_seq = 2")
        }
        let refused = try api.operator.post("/v1/system/backup", [:])
        #expect((refused.status, refused.code) == (503, "storage_unavailable"))
        expectProblem(refused)
    }

    @Test("says what was missing when it was made, and that blobs were damaged before")
    func missingBlobs() throws {
        try withAPI { api in
            let (_, first) = try api.runWithBlob("one")
            let (_, second) = try api.runWithBlob("two")
            let blobs = "\(api.folder.path)/blobs"
            let folder = "ws_dev".utf8
            func path(_ sha256: String) -> String {
                "\(blobs)/\(SHA256.hex(Array(folder)).prefix(32))/\(sha256.prefix(2))/\(sha256)"
            }
            try Files.remove(path(first))
            try Files.writeAtomically(Array("rotten".utf8), to: path(second))
            let made = try Made(api)
            let report = try BackupFile.rehearse(made.path)
            #expect((report.backup.blobs, report.backup.missingBlobs) == (1, 1))
            #expect(report.damagedBlobs.count == 1 && report.damagedBlobs[0].hasSuffix(second))
        }
    }

    @Test("is made one at a time, and a client that leaves ends it")
    func oneAtATime() throws {
        try withAPI(.socket) { api in
            _ = try api.room()
            let client = api.operator
            let answers = try race(6) { _ in try client.post("/v1/system/backup", [:]) }
            #expect(answers.allSatisfy { [200, 503].contains($0.status) } && answers.contains { $0.status == 200 })
            for answer in answers where answer.status == 503 { #expect(answer.code == "overloaded") }
            var request = client.request(.post, "/v1/system/backup")
            request.body = .bytes(Array("{}".utf8))
            request.fields.append(.contentType, "application/json")
            try client.transport.stream(request, onHead: { #expect($0.status == .ok) }) { _ in false }
            // The next one gets its turn, and nothing is left of those before.
            try eventually("a backup after one that was left") {
                try client.post("/v1/system/backup", [:]).status == 200
            }
            try eventually("the copies to be gone") {
                try Files.list("\(api.folder.path)/tmp").filter { $0.hasPrefix("backup-") }.isEmpty
            }
        }
    }
}

extension TestAPI {
    fileprivate func backup() throws -> [UInt8] {
        let answer = try `operator`.post("/v1/system/backup", [:])
        guard answer.status == 200 else { throw TestFailure("no backup: \(answer)") }
        return answer.response.body
    }

    fileprivate func system(_ type: String) throws -> [EventRow] {
        try `operator`.call(
            .events, Nothing(), query: [("include_system", "1"), ("event_type", type), ("limit", "50")]
        ).events
    }

    /// A run with an artifact whose content was put in, and its digest.
    fileprivate func runWithBlob(_ text: String = "content") throws -> (RunID, String) {
        let run = try run(in: room())
        let hold = try hold()
        let step = try hold.step("a")
        let sha256 = SHA256.hex(Array(text.utf8))
        let put = try hold.client.exchange(
            .put, "/v1/steps/\(step)/blobs/\(sha256)", fields: [.xClaimToken: hold.token], body: Array(text.utf8))
        guard put.status == 201 else { throw TestFailure("no blob: \(put)") }
        let made = try hold.post(
            "/v1/steps/\(step)/artifacts", ["kind": "report", "title": "a", "sha256": .string(sha256)])
        guard made.status == 201 else { throw TestFailure("no artifact: \(made)") }
        guard try hold.onRun("complete", [:]).status == 200 else { throw TestFailure("the run does not end") }
        return (run, sha256)
    }

    /// Stops, and starts on what is in the other directory.
    fileprivate func replaceData(by directory: String) throws {
        // Also where it was a server's: a backup is a file.
        try reload(["DATABASE_URL": "sqlite:\(folder.path)/aos.db"])
        try restart {
            for name in try Files.list(folder.path) { try Files.removeTree("\(folder.path)/\(name)") }
            for name in try Files.list(directory) where name != "lock" {
                try Files.rename("\(directory)/\(name)", to: "\(folder.path)/\(name)")
            }
        }
    }
}

extension [UInt8] {
    /// Each member's name and where its bytes are.
    fileprivate var tarMembers: [(name: String, range: Range<Int>)] {
        var (members, place) = ([(name: String, range: Range<Int>)](), 0)
        while place + 512 <= count, self[place] != 0 {
            func text(_ range: Range<Int>) -> String {
                String(
                    decoding: self[(place + range.lowerBound)..<(place + range.upperBound)].prefix { $0 != 0 },
                    as: UTF8.self)
            }
            let size = Int(text(124..<136), radix: 8) ?? 0
            let prefix = text(345..<500)
            members.append(
                (prefix.isEmpty ? text(0..<100) : "\(prefix)/\(text(0..<100))", (place + 512)..<(place + 512 + size)))
            place += 512 + (size + 511) / 512 * 512
        }
        return members
    }

    /// Each member with its head and padding.
    fileprivate var tarBlocks: [[UInt8]] {
        tarMembers.map { Array(self[($0.range.lowerBound - 512)..<(($0.range.upperBound + 511) / 512 * 512)]) }
    }
}

/// Members that no backup has, with heads that hold.
private enum TarForgery {
    static func member(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
        var head = [UInt8](repeating: 0, count: 512)
        for (offset, text) in [
            (0, name), (100, "0000600"), (108, "0000000"), (116, "0000000"), (124, "00000000001"), (136, "00000000000"),
            (156, "0"), (257, "ustar"), (263, "00"),
        ] {
            for (index, byte) in text.utf8.enumerated() { head[offset + index] = byte }
        }
        return summed(head) + bytes + [UInt8](repeating: 0, count: 511)
    }

    static func changed(_ block: [UInt8], at offset: Int, _ bytes: [UInt8]) -> [UInt8] {
        var head = Array(block.prefix(512))
        for (index, byte) in bytes.enumerated() { head[offset + index] = byte }
        return summed(head) + block.dropFirst(512)
    }

    private static func summed(_ head: [UInt8]) -> [UInt8] {
        var head = head
        for index in 148..<156 { head[index] = UInt8(ascii: " ") }
        let sum = String(head.reduce(0) { $0 + Int($1) }, radix: 8)
        let digits = String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} "
        for (index, byte) in digits.utf8.enumerated() { head[148 + index] = byte }
        return head
    }
}
