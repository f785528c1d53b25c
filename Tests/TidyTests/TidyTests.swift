import Platform
import Testing

@Suite("The source tree")
struct TidyTests {
    static let sources = try! Repository.files(below: "Sources", ending: ".swift")
    static let tests = try! Repository.files(below: "Tests", ending: ".swift")

    @Test("has no file that has become two things: at most 700 lines", arguments: sources)
    func fileLength(path: String) throws {
        let lines = try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false).count
        #expect(lines <= 700, "\(path) has \(lines) lines: split it")
    }

    @Test("holds no leftovers", arguments: sources + tests)
    func leftovers(path: String) throws {
        guard !path.hasSuffix("TidyTests.swift") else { return }
        let text = try Repository.text(path)
        for mark in ["TODO", "FIXME", "XXX:", "HACK"] {
            #expect(!text.contains(mark), "\(path) holds \(mark): do it, or write it down in an issue")
        }
    }

    @Test("says why wherever the compiler was told to look away", arguments: sources)
    func uncheckedHasReason(path: String) throws {
        let lines = try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let looksAway = ["@unchecked Sendable", "nonisolated(unsafe)", "try! "].contains { line.contains($0) }
            guard looksAway, !line.contains("//") else { continue }
            let before = lines[max(0, index - 8)..<index].joined(separator: "\n")
            #expect(before.contains("//"), "\(path):\(index + 1) needs a comment that says why it holds")
        }
    }

    @Test("waits for signals in its tests, never for time", arguments: tests)
    func noSleeps(path: String) throws {
        guard !path.hasSuffix("TidyTests.swift") else { return }
        let text = try Repository.text(path)
        for call in ["usleep(", "nanosleep(", "Task.sleep", "Thread.sleep"] {
            #expect(!text.contains(call), "\(path) sleeps with \(call)")
        }
    }

    @Test("gives every page of the documentation exactly one title", arguments: documents)
    func oneTitle(path: String) throws {
        var isCode = false
        var titles = 0
        for line in try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") { isCode.toggle() }
            if !isCode, line.hasPrefix("# ") { titles += 1 }
        }
        #expect(titles == 1, "\(path) has \(titles) titles")
    }

    static let documents = try! ["README.md"] + Repository.files(below: "docs", ending: ".md")

    @Test("links only to what is there", arguments: documents)
    func links(path: String) throws {
        let folder = Files.split(path).folder
        for match in try Repository.text(path).matches(of: /\]\(([^)#\s]+)\)/) {
            let target = String(match.1)
            guard !target.hasPrefix("http") else { continue }
            let place = "\(Repository.root)/\(folder)/\(target)"
            #expect(Files.exists(place), "\(path) links to \(target), which is not there")
        }
    }

    @Test("lists every decision in the index")
    func decisions() throws {
        let index = try Repository.text("docs/decisions/README.md")
        for path in try Repository.files(below: "docs/decisions", ending: ".md") where !path.hasSuffix("README.md") {
            #expect(index.contains(Files.split(path).name), "docs/decisions/README.md does not list \(path)")
        }
    }
}
