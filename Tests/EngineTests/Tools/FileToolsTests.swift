import Engine
import JSON
import Platform
import Shared
import Testing

@Suite struct FileToolsTests {
    private let folder = TemporaryFolder()

    private func run(_ tool: Tool, _ arguments: JSONValue, secrets: [String] = []) throws -> JSONObject {
        let tools = ToolBox.standard(
            sandbox: Sandbox(level: .none), runner: ScriptedRunner.echo(), egress: EgressRule(allowed: []),
            clock: SystemClock())
        let workdir = Workdir(path: folder.path, folder: try Folder(folder.path), isTemporary: false)
        let input = ToolInput(
            runID: "run_1", stepID: "step_1", arguments: arguments, workdir: workdir, masker: Masker(secrets))
        return try tools[tool]!.prepare(input).run(PreparedCall.Permit()).get()
    }

    private func code(_ tool: Tool, _ arguments: JSONValue) -> String? {
        do { return try run(tool, arguments)["none"]?.stringValue } catch { return (error as? ToolFailure)?.code }
    }

    @Test func `a file is read with its digest`() throws {
        folder.write("a/b.txt", "hello\n")
        let output = try run(.fileRead, ["path": "a/b.txt"])
        #expect(output["text"] == "hello\n")
        #expect(output["sha256"] == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")
    }

    @Test func `a file that is no text comes as base64`() throws {
        try Files.writeAtomically([0, 1, 255, 16], to: folder.path + "/bin")
        #expect(try run(.fileRead, ["path": "bin"])["base64"] == "AAH/EA==")
    }

    @Test func `a file larger than allowed is refused`() {
        folder.write("big", String(repeating: "x", count: 100))
        #expect(code(.fileRead, ["path": "big", "max_bytes": 99]) == "file_too_large")
    }

    @Test func `secrets in files are masked`() throws {
        folder.write("s", "key=swordfish")
        let output = try run(.fileRead, ["path": "s"], secrets: ["swordfish"])
        #expect(output["text"] == "key=***")
        #expect(output["sha256"] == nil)
    }

    @Test func `a file is written whole, with its folders and mode`() throws {
        let output = try run(.fileWrite, ["path": "x/y/z.txt", "text": "hi", "mode": "0600"])
        #expect(output["size_bytes"] == 2)
        #expect(folder.text("x/y/z.txt") == "hi")
        #expect(Files.status(folder.path + "/x/y/z.txt")?.mode == 0o600)
        #expect(try Files.list(folder.path + "/x/y") == ["z.txt"])
    }

    @Test func `JSON is written as people read it`() throws {
        _ = try run(.fileWrite, ["path": "j", "json": ["a": 1]])
        #expect(folder.text("j") == "{\n  \"a\": 1\n}\n")
    }

    @Test func `a folder is listed in order`() throws {
        folder.write("b", "12")
        folder.write("a/c", "")
        let output = try run(.fileList, ["recursive": true])
        #expect(output["entries"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["a", "a/c", "b"])
        #expect(output["entries"]?[2]?["size_bytes"] == 2)
    }

    @Test(arguments: ["../x", "/etc/passwd", "link", "linked/passwd", "a/../../x", "magic/etc/passwd"])
    func `no path leads out of the workdir`(_ path: String) throws {
        folder.write("a/x", "")
        for (link, target) in [("link", "/etc/passwd"), ("linked", "/etc"), ("magic", "/proc/self/root")] {
            try makeLink(target, at: folder.path + "/" + link)
        }
        #expect(code(.fileRead, ["path": .string(path)]) == "path_refused")
        #expect(["path_refused", "file_failed"].contains(code(.fileList, ["path": .string(path)])))
        if path != "link" { #expect(code(.fileWrite, ["path": .string(path), "text": "x"]) != nil) }
        #expect(!Files.exists("/etc/x"))
    }

    @Test func `writing over a link replaces the link and not what it points to`() throws {
        folder.write("target", "old")
        try makeLink(folder.path + "/target", at: folder.path + "/link")
        _ = try run(.fileWrite, ["path": "link", "text": "new"])
        #expect(folder.text("target") == "old")
        #expect(Files.status(folder.path + "/link")?.kind == .file)
    }

    @Test func `a tree with links in it is removed and what they point to stays`() throws {
        folder.write("stay/file", "here")
        folder.write("tree/a/b", "")
        try makeLink(folder.path + "/stay", at: folder.path + "/tree/link")
        try Files.removeTree(folder.path + "/tree")
        #expect(!Files.exists(folder.path + "/tree"))
        #expect(folder.text("stay/file") == "here")
    }

    private func makeLink(_ target: String, at path: String) throws {
        _ = try SystemProcesses().run(
            ProcessCommand("/bin/ln", ["ln", "-s", target, path]), stop: StopSignal()
        ) { _, _ in }
    }
}
