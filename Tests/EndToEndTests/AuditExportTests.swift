import APIClient
import DatabaseCore
import HTTP
import JSON
import Platform
import PostgresTestSupport
import Shared
import Testing

extension EndToEnd {
    /// What leaves the machine as proof, and what is to leave no trace on it.
    @Suite(.serialized) struct AuditExportTests {
        /// Runs a program with a plain environment in an empty folder.
        private func run(_ stage: Stage, _ arguments: [String], _ environment: [String: String] = [:]) throws
            -> (exit: Int, output: String)
        {
            let folder = "\(stage.folder)/empty"
            try Files.makeFolder(folder)
            var environment = environment
            environment["PATH"] = environment["PATH"] ?? "/usr/bin:/bin"
            var command = ProcessCommand(arguments[0], arguments, environment: environment)
            command.directory = folder
            var output: [UInt8] = []
            let end = try SystemProcesses().run(command, stop: StopSignal()) { _, bytes in output += bytes }
            guard case .code(let code) = end.exit else { return (-1, "") }
            return (Int(code), String(decoding: output, as: UTF8.self))
        }

        private func aos(_ stage: Stage, _ arguments: String...) throws -> (exit: Int, output: String) {
            try run(
                stage, ["\(RunningProgram.folder)/aos"] + arguments,
                [
                    "AOS_API_URL": "http://\(stage.address)", "AOS_TOKEN": stage.operatorToken,
                    "AOS_DATA_DIR": stage.data, "HOME": stage.folder,
                ])
        }

        /// A run that said the marker in its title, its call, its output and an artifact, and a message that did.
        private func live(_ stage: Stage, _ marker: String) throws -> RunID {
            let room = try stage.room()
            let plan = Plans.plan(
                [
                    Plans.script(
                        "say", "echo \(marker) | tee said.txt", ["artifacts": [["path": "said.txt", "kind": "text"]]])
                ],
                workdir: stage.site)
            let run = try stage.client().call(
                .createRun, CreateRun(roomID: room, title: "say \(marker)", input: ["plan": plan])
            ).runID
            let thread = try stage.client().call(
                .createThread, CreateThread(title: "talk"), ["room_id": room.rawValue]
            ).threadID
            _ = try stage.client().call(
                .postMessage, PostMessage(contentMd: "\(marker) again", lang: "en"),
                ["thread_id": thread.rawValue])
            #expect(try stage.wait(for: run).status == .succeeded, "\(stage.story(run))")
            return run
        }

        private struct Bundle {
            var folder: String
            func read(_ name: String) throws -> [UInt8] { try Files.read("\(folder)/\(name)", bytesMax: 1 << 26) }
            func lines(_ name: String) throws -> [[UInt8]] {
                try read(name).split(separator: UInt8(ascii: "\n")).map { Array($0) }
            }
            func write(_ name: String, _ lines: [[UInt8]]) throws {
                try Files.writeAtomically(
                    lines.flatMap { $0 + [UInt8(ascii: "\n")] }, to: "\(folder)/\(name)", mode: 0o644)
            }
        }

        private func unpack(_ stage: Stage, _ archive: String, _ name: String) throws -> Bundle {
            let folder = "\(stage.folder)/\(name)"
            try Files.makeFolder(folder)
            let tar = try run(stage, ["/usr/bin/tar", "-C", folder, "-xzf", archive])
            #expect(tar.exit == 0, "\(tar.output)")
            return Bundle(folder: "\(folder)/aos-audit")
        }

        /// Both verifiers say the same: the exit code, and what the places are.
        private func verify(
            _ stage: Stage, _ bundle: Bundle, _ key: String, says: [String], _ exit: Int,
            _ location: SourceLocation = #_sourceLocation
        ) throws {
            for program in [
                ["/usr/bin/python3", "\(bundle.folder)/verify.py"], ["/bin/bash", "\(bundle.folder)/verify.sh"],
            ] {
                let found = try run(stage, program + [key, bundle.folder])
                #expect(found.exit == exit, "\(program): \(found.output)", sourceLocation: location)
                for text in says {
                    #expect(found.output.contains(text), "\(program): \(found.output)", sourceLocation: location)
                }
            }
        }

        @Test func `an export is verified with stock tools, and every change is refused with its place`() throws {
            let stage = try Stage()
            try stage.startAPI()
            try stage.startEngine("worker")
            let run = try live(stage, "Marvin-Android-42")
            let archive = "\(stage.folder)/run.tgz"
            let exported = try aos(stage, "audit", "export", "--run", run.rawValue, "-o", archive)
            #expect(exported.exit == 0, "\(exported.output)")
            let key = try aos(stage, "audit", "key").output
            let other = try Stage()
            try other.startAPI()
            let foreign = try aos(other, "audit", "key").output
            #expect(key != foreign && key.hasPrefix("agentos.local/"))
            let events = try stage.events(of: run)

            let whole = try unpack(stage, archive, "whole")
            try verify(stage, whole, key, says: ["valid: \(events.count) events, 0 redacted"], 0)
            try verify(stage, whole, foreign, says: ["checkpoint.txt: not signed by the given key"], 1)
            // The line that a stranger checks by hand.
            let hash = try self.run(
                stage, ["/bin/bash", "-c", "sed -n 3p '\(whole.folder)/headers.jsonl' | tr -d '\\n' | sha256sum"])
            let third = try stage.client().call(.event, Nothing(), ["event_id": events[2].eventID.rawValue]).event
            #expect(third.eventHash == "sha256:" + hash.output.prefix(64))

            func tampered(
                _ name: String, _ file: String, says: String, _ exit: Int = 1, _ change: (inout [[UInt8]]) -> Void
            ) throws {
                let bundle = try unpack(stage, archive, name)
                var lines = try bundle.lines(file)
                change(&lines)
                try bundle.write(file, lines)
                try verify(stage, bundle, key, says: [says], exit)
            }
            let place = events[4].globalSeq
            let here = "event \(place) (it says room/\(events[4].streamID) seq "
            try tampered(
                "a byte of a header", "headers.jsonl", says: "headers.jsonl line 5, \(here)\(events[4].streamSeq))"
            ) {
                $0[4] = Array(String(decoding: $0[4], as: UTF8.self).replacing("supervised", with: "supervisee").utf8)
            }
            try tampered("a line removed", "headers.jsonl", says: "headers.jsonl line 5, event \(place) ") {
                $0.remove(at: 4)
            }
            try tampered(
                "the tail cut", "headers.jsonl",
                says: "headers.jsonl line \(events.count - 1): missing; event \(events[events.count - 2].globalSeq)"
            ) { $0.removeLast(2) }
            try tampered("a line doubled", "headers.jsonl", says: "headers.jsonl line 6, event ") {
                $0.insert($0[4], at: 4)
            }
            try tampered("a byte of a payload", "payloads.txt", says: "payloads.txt line 5, \(here)") {
                $0[4][$0[4].count - 3] ^= 1
            }
            try tampered("a payload removed", "payloads.txt", says: "payloads.txt line 5, \(here)") { $0.remove(at: 4) }
            try tampered("places cut", "places.txt", says: "places.txt: not what was signed") { $0.removeLast() }
            try tampered("a node", "nodes.txt", says: "not the event that was recorded there") { nodes in
                for index in nodes.indices {
                    let last = nodes[index].count - 1
                    nodes[index][last] = nodes[index][last] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
                }
            }
            try tampered("the root", "checkpoint.txt", says: "checkpoint.txt: not signed by the given key") {
                $0[1] = Array("1".utf8)
            }
            try tampered("redacted", "payloads.txt", says: "valid: \(events.count) events, 1 redacted", 0) {
                $0[4] = Array("\(place) erased".utf8)
            }

            let since = "\(stage.folder)/since.tgz"
            let all = try aos(
                stage, "audit", "export", "--since", "2020-01-01T00:00:00Z", "-o", since)
            #expect(all.exit == 0, "\(all.output)")
            try verify(
                stage, unpack(stage, since, "since"), key,
                says: ["valid: \(try stage.events().count) events, 0 redacted"],
                0)
        }

        @Test func `what was erased is found nowhere under the data directory, and an export says that it was`() throws
        {
            let (stage, marker) = (try Stage(), "Trillian-McMillan-77")
            try stage.startAPI()
            try stage.startEngine("worker")
            let run = try live(stage, marker)
            func grep() throws -> [String] {
                try self.run(stage, ["/bin/grep", "-rlaF", marker, stage.data]).output
                    .split(separator: "\n").map(String.init)
            }
            if TestBackends.chosen == .sqlite { #expect(try grep().contains { $0.contains("/aos.db") }) }
            #expect(try grep().contains { $0.contains("/blobs/") })
            let marked = try stage.events().filter { event in
                let whole = try stage.client().call(.event, Nothing(), ["event_id": event.eventID.rawValue])
                return String(decoding: try JSON.encode(whole), as: UTF8.self).contains(marker)
            }
            #expect(Set(marked.map(\.eventType)).isSuperset(of: ["run.created", "message.created", "tool.succeeded"]))
            let asked = try aos(stage, "redact", String(marked[0].globalSeq), "--reason", "a test")
            #expect(asked.exit == 2 && asked.output.contains("--yes"))
            for event in marked {
                let erased = try aos(stage, "redact", String(event.globalSeq), "--reason", "a test", "--yes")
                #expect(erased.exit == 0, "\(event.eventType): \(erased.output)")
            }
            let artifacts = try stage.events(of: run).filter { $0.eventType == "artifact.created" }
            for event in artifacts where !marked.contains(where: { $0.eventID == event.eventID }) {
                #expect(try aos(stage, "redact", event.eventID.rawValue, "--reason", "a test", "--yes").exit == 0)
            }
            #expect(try grep() == [])
            try stage.checkLog()
            let archive = "\(stage.folder)/run.tgz"
            #expect(try aos(stage, "audit", "export", "--run", run.rawValue, "-o", archive).exit == 0)
            let bundle = try unpack(stage, archive, "erased")
            let erased = try stage.events(of: run).filter { $0.data == .null }.count
            try verify(
                stage, bundle, try aos(stage, "audit", "key").output, says: [", \(erased) redacted"], 0)
            #expect(stage.api.terminate(milliseconds: 10_000) == .code(0))
            #expect(try grep() == [])
        }
    }
}
