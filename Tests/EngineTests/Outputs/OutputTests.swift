import Engine
import JSON
import Platform
import Testing

@Suite struct MaskerTests {
    private let masker = Masker(["p@ss w/ord\"1"])

    @Test(arguments: [
        "p@ss w/ord\"1", "p%40ss%20w%2Ford%221", "p%40ss%20w%2ford%221", "p%40ss+w%2Ford%221", "p@ss w/ord\\\"1",
        "704073732077 2f6f72642231".filter { $0 != " " }, "70407373207 72F6F72642231".filter { $0 != " " },
    ])
    func `a secret is masked in the forms programs print`(_ form: String) {
        #expect(masker.masked("<\(form)>") == "<***>")
    }

    @Test func `a secret is masked in base64 wherever it begins`() throws {
        for prefix in ["", "a", "ab", "user:"] {
            let text = Array("\(prefix)p@ss w/ord\"1 and more".utf8)
            let encoded = base64(text)
            #expect(masker.masked(encoded).contains("***"), "\(prefix)")
            #expect(masker.masked(encoded).utf8.count < encoded.utf8.count)
        }
    }

    @Test func `secrets of less than four bytes are left alone`() {
        #expect(Masker(["abc"]).masked("abcabc") == "abcabc")
    }

    @Test func `the lines of a long secret are masked one by one`() {
        #expect(Masker(["BEGIN-LINE\nsecond-line-x"]).masked("a second-line-x b") == "a *** b")
    }

    @Test func `a secret is never cut in half by the pieces it comes in`() {
        let secret = "0123456789abcdef"
        let text = Array("x\(secret)y\(secret)".utf8)
        for size in 1...text.count {
            var capture = OutputCapture(Masker([secret]))
            for start in stride(from: 0, to: text.count, by: size) {
                capture.add(text[start..<min(start + size, text.count)])
            }
            var output: JSONObject = [:]
            capture.write("t", to: &output)
            #expect(output["t"] == "x***y***")
        }
    }

    private func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count - bytes.count % 3, by: 3) {
            let bits = Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
            for shift in [18, 12, 6, 0] { text.append(alphabet[bits >> shift & 63]) }
        }
        return text
    }
}

@Suite struct GlobTests {
    @Test(arguments: [
        ("*.txt", "a.txt", true), ("*.txt", "a/b.txt", false), ("**/*.txt", "a/b.txt", true),
        ("**/*.txt", "b.txt", true),
        ("a/**", "a/b/c", true), ("a/**", "b/c", false), ("a/*/c", "a/b/c", true), ("a/*/c", "a/b/d/c", false),
        ("?.c", "x.c", true), ("?.c", "xy.c", false), ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false),
        ("[!a-c]x", "dx", true), ("*", ".hidden", false), (".*", ".hidden", true), ("**", "a/.git/x", false),
        ("out/**/r?port.*", "out/x/y/report.md", true), ("a*b*c", "a1b2c", true), ("a*b*c", "a1b2", false),
        ("*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false), ("./x", "x", true), ("[x", "[x", true),
    ])
    func `patterns name what they say`(_ pattern: String, _ path: String, _ matches: Bool) {
        #expect(Glob(pattern).matches(path) == matches, "\(pattern) \(path)")
    }

    @Test func `matching files are found in order and links never`() throws {
        let folder = TemporaryFolder()
        for name in ["b/2.log", "a/1.log", "a/x.txt", "c.log"] { folder.write(name, "") }
        #expect(try Glob("**/*.log").files(in: Folder(folder.path), atMost: 9) == ["a/1.log", "b/2.log", "c.log"])
        #expect(try Glob("a/*.log").files(in: Folder(folder.path), atMost: 9) == ["a/1.log"])
    }
}
