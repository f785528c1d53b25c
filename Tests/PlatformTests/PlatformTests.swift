import Testing

@testable import Platform

struct EntropyTests {
    @Test("The kernel's source gives as many bytes as were asked for, and other ones each time")
    func system() {
        let entropy = SystemEntropy()
        var seen: Set<[UInt8]> = []
        for _ in 0..<2_000 { seen.insert(entropy.bytes(16)) }
        #expect(seen.count == 2_000 && seen.allSatisfy { $0.count == 16 })
        for count in [0, 1, 4_095, 4_096, 4_097, 100_000] { #expect(entropy.bytes(count).count == count) }
    }

    @Test("Threads that draw at once never get the same bytes")
    func threads() {
        let (entropy, all) = (SystemEntropy(), Monitor<[[UInt8]]>([]))
        let threads = (0..<8).map { number in
            Thread.start("draw \(number)") {
                let drawn = (0..<500).map { _ in entropy.bytes(16) }
                all.update { $0 += drawn }
            }
        }
        for thread in threads { thread.join() }
        #expect(Set(all.read { $0 }).count == 4_000)
    }

    @Test("A seed gives the same bytes, however they are drawn apart")
    func seeded() {
        #expect(SeededEntropy(seed: 1).bytes(64) == SeededEntropy(seed: 1).bytes(64))
        #expect(SeededEntropy(seed: 1).bytes(64) != SeededEntropy(seed: 2).bytes(64))
        // The first number of SplitMix64 with seed 0 (reference implementation), least byte first.
        #expect(SeededEntropy(seed: 0).bytes(8) == [0xAF, 0xCD, 0x1D, 0x7B, 0x39, 0xA8, 0x20, 0xE2])
    }

    @Test("Numbers stay in their range and reach its ends")
    func ranges() {
        let entropy = SeededEntropy(seed: 3)
        #expect(Set((0..<200).map { _ in entropy.integer(in: -1...1) }) == [-1, 0, 1])
        #expect(entropy.integer(in: 7...7) == 7)
        let small = (0..<100).map { _ in entropy.integer(in: Int64.max - 1...Int64.max) }
        #expect(Set(small) == [Int64.max - 1, Int64.max])
    }

    @Test(
        "The widest ranges are ranges too",
        arguments: [Int64.min...Int64.max, Int64.min...0, -1...Int64.max, Int64.min...Int64.min + 1])
    func wide(_ range: ClosedRange<Int64>) {
        let entropy = SeededEntropy(seed: 4)
        for _ in 0..<100 { #expect(range.contains(entropy.integer(in: range))) }
    }
}

struct MonitorTests {
    @Test("Many threads change one value and none of the changes is lost")
    func counting() {
        let counter = Monitor(0)
        let threads = (0..<8).map { number in
            Thread.start("count \(number)") { for _ in 0..<2_000 { counter.update { $0 += 1 } } }
        }
        for thread in threads { #expect(thread.join(milliseconds: 20_000)) }
        #expect(counter.read { $0 } == 16_000)
    }

    @Test("Who waits is woken by the change; who waits in vain is told in time")
    func waiting() {
        let box = Monitor<Int?>(nil)
        let thread = Thread.start("give") { box.update { $0 = 7 } }
        #expect(box.wait { $0 } == 7)
        thread.join()
        #expect(Monitor<Int?>(nil).wait(milliseconds: 5) { $0 } == nil)
        #expect(Monitor<Int?>(nil).wait(milliseconds: -5) { $0 } == nil)
    }

    @Test("What one waiter takes, another does not get")
    func taking() {
        let (queue, taken) = (Monitor(Array(0..<500)), Monitor<[Int]>([]))
        let threads = (0..<4).map { number in
            Thread.start("take \(number)") {
                while true {
                    let next: Int?? = queue.wait { $0.isEmpty ? .some(nil) : .some($0.removeLast()) }
                    guard let number = next ?? nil else { return }
                    taken.update { $0.append(number) }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(taken.read { $0.sorted() } == Array(0..<500))
    }
}

struct FileTests {
    private final class Scratch {
        let path = "/tmp/aos-test-\(SystemEntropy().integer(in: 0...Int64.max))"
        init() throws { try Files.makeFolder(path) }
        deinit { try? Files.removeTree(path) }
    }

    private let scratch: Scratch
    private var path: String { scratch.path }

    init() throws { scratch = try Scratch() }

    @Test("A file is written whole, with its mode, and replaced whole; nothing is left over")
    func atomic() throws {
        for (bytes, mode) in [
            (Array("one".utf8), UInt32(0o600)), ([], 0o644), ([UInt8](repeating: 7, count: 300_000), 0o755),
        ] {
            try Files.writeAtomically(bytes, to: "\(path)/f", mode: mode)
            #expect(try Files.read("\(path)/f", bytesMax: 1 << 20) == bytes)
            #expect(Files.status("\(path)/f")?.mode == mode)
        }
        #expect(try Files.list(path) == ["f"])
        let error = #expect(throws: SystemError.self) { try Files.read("\(path)/f", bytesMax: 299_999) }
        #expect(error?.description.contains("f") == true)
        #expect(try Files.read("\(path)/f", bytesMax: 300_000).count == 300_000)
    }

    @Test("Appending adds at the end and makes the file for its owner only")
    func append() throws {
        try Files.append(Array("a\n".utf8), to: "\(path)/log", sync: true)
        try Files.append(Array("b\n".utf8), to: "\(path)/log", sync: false)
        #expect(try Files.read("\(path)/log", bytesMax: 100) == Array("a\nb\n".utf8))
        #expect(try #require(Files.status("\(path)/log")).mode & 0o077 == 0)
    }

    @Test(
        "A folder's name never leads out of it",
        arguments: ["../outside", "/etc/passwd", "link", "linked/f", "a/../../outside", "deep/link"])
    func beneath(_ name: String) throws {
        let inner = "\(path)/inner"
        try Files.makeFolder("\(inner)/deep")
        try Files.makeFolder("\(path)/other")
        try Files.writeAtomically(Array("secret".utf8), to: "\(path)/outside")
        try Files.writeAtomically(Array("secret".utf8), to: "\(path)/other/f")
        for (target, link) in [
            ("\(path)/outside", "link"), ("\(path)/other", "linked"), ("../../outside", "deep/link"),
        ] {
            try #require(symlinkForTest(target, "\(inner)/\(link)"))
        }
        let folder = try Folder(inner)
        #expect(throws: SystemError.self) { try folder.open(name) }
        #expect(throws: SystemError.self) { try folder.writeAtomically([1], to: "linked/new", mode: 0o600) }
        #expect(try Files.read("\(path)/outside", bytesMax: 100) == Array("secret".utf8))
        #expect(try Files.list("\(path)/other") == ["f"])
    }

    @Test("Removing a tree removes it, and nothing that its links point to")
    func removeTree() throws {
        try Files.makeFolder("\(path)/tree/a/b")
        try Files.makeFolder("\(path)/kept")
        try Files.writeAtomically([1], to: "\(path)/kept/f")
        try Files.writeAtomically([1], to: "\(path)/tree/a/f")
        try #require(symlinkForTest("\(path)/kept", "\(path)/tree/a/b/link"))
        try Files.removeTree("\(path)/tree")
        try Files.removeTree("\(path)/tree")
        #expect(try Files.list(path) == ["kept"] && Files.list("\(path)/kept") == ["f"])
    }

    @Test("Making a folder makes its parents, twice is no error, and a file in the way is one")
    func makeFolder() throws {
        for _ in 0..<2 { try Files.makeFolder("\(path)/a/b/c") }
        #expect(Files.status("\(path)/a/b/c")?.kind == .folder)
        try Files.writeAtomically([], to: "\(path)/file")
        #expect(throws: SystemError.self) { try Files.makeFolder("\(path)/file") }
        #expect(throws: SystemError.self) { try Files.makeFolder("\(path)/file/below") }
    }

    @Test("A lock is held by one descriptor and ends with it")
    func locks() throws {
        var first: Descriptor? = try Descriptor.openToWrite("\(path)/lock")
        let second = try Descriptor.openToWrite("\(path)/lock")
        #expect(try first!.tryLock())
        #expect(try !second.tryLock())
        first = nil
        #expect(try second.tryLock())
    }

    @Test(
        "A path is split at its last name",
        arguments: [("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"), ("a/b/", "a", "b"), ("/", "/", "")])
    func split(_ path: String, _ folder: String, _ name: String) {
        #expect(Files.split(path) == (folder, name))
    }
}

struct LogTests {
    private struct FixedClock: Clock {
        func monotonicNanoseconds() -> Int64 { 0 }
        func wallMilliseconds() -> Int64 { 1_772_600_767_089 }
    }

    private func line(_ format: Log.Format, _ body: (Log) -> Void) -> [String] {
        let lines = Monitor<[String]>([])
        body(
            Log(level: .info, format: format, clock: FixedClock()) { line in
                lines.update { $0.append(String(decoding: line, as: UTF8.self)) }
            })
        return lines.read { $0 }
    }

    @Test("A line of JSON is JSON, whatever is in it, and is one line")
    func json() {
        let lines = line(.json) { log in
            log.debug("not shown")
            log.info("it \"said\"\n", ["text": .text("a\\b\u{1}\u{9B}\n"), "n": 5, "on": true])
        }
        #expect(
            lines == [
                #"{"time":"2026-03-04T05:06:07.089Z","level":"info","event":"it \"said\"\n","text":"a\\b\u0001\u009b\n","n":5,"on":true}"#
                    + "\n"
            ])
    }

    @Test("A line for people moves no cursor")
    func text() {
        let lines = line(.text) { $0.warning("lost \u{1B}[2J", ["who": .text("an engine\r"), "n": 1]) }
        #expect(lines == ["05:06:07.089 warning: lost \u{FFFD}[2J who=\"an engine\u{FFFD}\" n=1\n"])
    }

    @Test("A line has an end, however much it is given", arguments: [Log.Format.text, .json])
    func long(_ format: Log.Format) {
        let lines = line(format) { $0.error("e", ["t": .text(String(repeating: "é", count: 50_000))]) }
        #expect(lines.count == 1 && lines[0].utf8.count <= Log.lineBytesMax + 8)
    }
}
