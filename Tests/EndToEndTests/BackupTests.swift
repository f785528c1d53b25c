import APIClient
import Crypto
import HTTP
import HTTPClient
import JSON
import Platform
import PostgresTestSupport
import Shared
import Testing

extension EndToEnd {
    /// What was backed up comes back, all of it and nothing else; what is damaged does not come back at all.
    @Suite(.serialized) struct BackupTests {
        private static let clients = 6

        @Test
        func `a backup under load, a lost disk, and a restore: all that was acknowledged up to the backup is back`()
            throws
        {
            let stage = try Stage()
            try stage.startAPI()
            try stage.startEngine("engine-1")
            let room = try stage.room("the room")
            let work = try stage.submit(Self.plan(stage), in: room)
            #expect(try stage.wait(for: work).status == .succeeded)
            let contents = try Self.contents(stage)
            #expect(contents.count == 3)
            let load = Load(stage, in: room, name: "load")
            try load.start(clients: Self.clients)
            defer { load.stop() }
            #expect(eventually { load.operations.count > 300 })

            let path = "\(stage.folder)/backup.tar"
            let acknowledged = Self.lastAcknowledged(load)
            let clock = SystemClock()
            let began = clock.monotonicMilliseconds()
            let made = try stage.aos(["backup", path, "--json"])
            try #require(made.exit == .code(0), "\(made.notes)")
            let took = clock.monotonicMilliseconds() - began
            let during = Self.lastAcknowledged(load)
            #expect(Files.status(path)?.mode == 0o600)
            let manifest = try #require(try JSON.parse(made.output)["backup"])
            let point = try #require(manifest["global_seq"]?.intValue)
            // All that had been acknowledged when it was asked for is in it, and it goes on meanwhile.
            #expect(point >= acknowledged && during > acknowledged)
            let more = load.operations.count + 200
            #expect(eventually { load.operations.count > more })
            load.stop()
            load.join()
            let oracle = try stage.events([("include_system", "1")])
            let end = try #require(oracle.last?.globalSeq)
            #expect(end > point)

            // Not under a running api; and a rehearsal disturbs nobody.
            #expect(try stage.aos(["restore", path]).exit == .code(1))
            let rehearsed = try stage.aos(["restore", path, "--verify"])
            #expect(rehearsed.exit == .code(0), "\(rehearsed.notes)")
            #expect(try stage.events([("include_system", "1")]).last?.globalSeq == end)

            stage.killAll()
            try Files.removeTree(stage.data)
            // Also what was on a server comes back as a file.
            let file = ["DATABASE_URL": "sqlite:\(stage.data)/aos.db"]
            let restored = try stage.aos(["restore", path, "-m", "the disk died", "--json"], file)
            try #require(restored.exit == .code(0), "\(restored.notes)")
            try stage.startAPI(file)

            let back = try stage.events([("include_system", "1")])
            let before = oracle.filter { $0.globalSeq <= point }
            #expect(Int64(before.count) == point)
            #expect(Array(back.prefix(before.count)) == before)
            let first = try #require(back.dropFirst(before.count).first)
            #expect(first.eventType == "log.restored" && first.globalSeq == point + 1)
            #expect(first.data["reason"] == "the disk died" && first.data["root"] == manifest["root"])
            try stage.checkLog()
            // The oracle outside the system: what was acknowledged up to there is there once, what came later is not.
            let operations = load.operations.filter { operation in
                if case .done(let seq) = operation.outcome { seq <= point } else { true }
            }
            let counts = Load.check(operations, against: before)
            let keys = Set(back.compactMap { Load.key(of: $0) })
            for operation in load.operations {
                guard case .done(let seq) = operation.outcome, seq > point else { continue }
                #expect(!keys.contains(operation.key), "\(operation.key) was acknowledged after the backup")
            }
            #expect(try Self.contents(stage) == contents)
            // Nobody holds anything; what was held is queued; nothing leaves before somebody has looked.
            let runs = try stage.client().call(.runs, Nothing(), query: [("limit", "200")]).runs
            #expect(!runs.contains { $0.status == .running })
            #expect(try stage.client().call(.killSwitch, Nothing()).engaged)
            // It is the same instance: engines are known, and work goes on.
            let lifted = try stage.aos(["kill", "off"])
            #expect(lifted.exit == .code(0), "\(lifted.notes)")
            try stage.startEngine("engine-1")
            let next = try stage.submit(Self.plan(stage), in: room)
            #expect(try stage.wait(for: next).status == .succeeded)
            try stage.checkLog()
            EndToEnd.say(
                "backup under load: \(point) events and \(contents.count) blobs in \(took) ms, \(during - acknowledged) events written meanwhile; restored: \(counts.acknowledged) acknowledged writes back, \(end - point) later events gone and said so"
            )
        }

        @Test func `a damaged backup is refused by the programs, whatever part of it, and nothing is touched`() throws {
            let stage = try Stage()
            try stage.startAPI()
            try stage.startEngine("engine-1")
            let work = try stage.submit(Self.plan(stage), in: try stage.room())
            #expect(try stage.wait(for: work).status == .succeeded)
            let path = "\(stage.folder)/backup.tar"
            #expect(stage.api.terminate(milliseconds: 10_000) == .code(0))
            stage.killAll()
            // A stopped api's data is copied just the same.
            let made = try stage.aos(["backup", path])
            try #require(made.exit == .code(0), "\(made.notes)")
            let good = try Files.read(path, bytesMax: 1 << 28)
            let data = try Self.digests(of: stage.data)
            // What was on a server is put back as a file: a server's data is refused for another reason than damage.
            let file = ["DATABASE_URL": "sqlite:\(stage.data)/aos.db"]
            let random = EndToEnd.random(77)
            var refused = 0
            func expectRefused(_ bytes: [UInt8], _ what: String) throws {
                try Files.writeAtomically(bytes, to: path)
                let verb = ["restore", path] + (refused % 2 == 0 ? ["--verify"] : ["--force"])
                let (exit, output) = try stage.apiVerb(verb, file)
                #expect(exit == .code(1) && output.isEmpty, "\(what): \(String(describing: exit)) \(output)")
                refused += 1
            }
            for member in Self.members(good) {
                for _ in 1...2 {
                    var bytes = good
                    let place = Int(random.integer(in: Int64(member.lowerBound)...Int64(member.upperBound - 1)))
                    bytes[place] ^= UInt8(1 << random.integer(in: 0...7))
                    try expectRefused(bytes, "byte \(place)")
                }
                try expectRefused(Array(good[..<member.lowerBound] + good[member.upperBound...]), "without a member")
            }
            try expectRefused(Array(good.prefix(good.count / 2)), "half of it")
            try expectRefused([], "nothing")
            #expect(try Self.digests(of: stage.data) == data)
            try Files.writeAtomically(good, to: path)
            let (exit, _) = try stage.apiVerb(["restore", path, "--force"], file)
            #expect(exit == .code(0))
            EndToEnd.say("damaged backups: \(refused) refused, the data directory as it was")
        }

        // MARK: Helpers

        /// A run that leaves three contents.
        private static func plan(_ stage: Stage) -> JSONValue {
            Plans.plan(
                (1...3).map { number in
                    Plans.script(
                        "write\(number)", "head -c \(number * 200_000) /dev/urandom > out\(number).bin",
                        ["artifacts": [["path": .string("out\(number).bin"), "kind": "data"]]])
                }, workdir: stage.site)
        }

        /// The digest of what each artifact's content is.
        private static func contents(_ stage: Stage) throws -> [ArtifactID: String] {
            let client = stage.client()
            let artifacts = try client.call(.artifacts, Nothing(), query: [("limit", "200")]).artifacts
            return Dictionary(
                uniqueKeysWithValues: try artifacts.map { artifact in
                    let content = try client.send(client.request(.get, "/v1/artifacts/\(artifact.artifactID)/content"))
                    #expect(artifact.sha256 == SHA256.hex(content.body))
                    return (artifact.artifactID, SHA256.hex(content.body))
                })
        }

        private static func lastAcknowledged(_ load: Load) -> Int64 {
            load.operations.map { if case .done(let seq) = $0.outcome { seq } else { 0 } }.max() ?? 0
        }

        /// Where each member is, with its head and padding.
        private static func members(_ bytes: [UInt8]) -> [Range<Int>] {
            var (members, place) = ([Range<Int>](), 0)
            while place + 512 <= bytes.count, bytes[place] != 0 {
                let digits = String(decoding: bytes[(place + 124)..<(place + 135)], as: UTF8.self)
                let end = place + 512 + ((Int(digits, radix: 8) ?? 0) + 511) / 512 * 512
                members.append(place..<end)
                place = end
            }
            return members
        }

        private static func digests(of folder: String) throws -> [String: String] {
            var found: [String: String] = [:]
            for name in try Files.list(folder) where name != "tmp" && !name.hasSuffix("-shm") && !name.hasSuffix("-wal")
            {
                let path = "\(folder)/\(name)"
                if Files.status(path)?.kind == .folder {
                    found.merge(try digests(of: path)) { $1 }
                } else {
                    found[path] = SHA256.hex(try Files.read(path, bytesMax: 1 << 28))
                }
            }
            return found
        }
    }
}
