import Platform
import Testing

/// The program holds the web UI's files. `UPDATE_REFERENCE=1 swift test --filter WebAssetsTests` writes their list anew.
@Suite("The files of the web UI")
struct WebAssetsTests {
    private static let folder = "Sources/API/WebUI"
    private static let list = "Sources/WebAssets/assets.c"
    private static let endings = [".css", ".html", ".js", ".png", ".svg", ".webmanifest"]

    private static let files = try! endings.flatMap { try Repository.files(below: folder, ending: $0) }.sorted()

    @Test("are all in the program")
    func list() throws {
        var text = """
            // Printed from the folder by `UPDATE_REFERENCE=1 swift test --filter WebAssetsTests`; do not edit.

            #include "WebAssets.h"


            """
        for (number, path) in Self.files.enumerated() {
            text += "static const unsigned char file\(number)[] = {\n#embed \"../../\(path)\"\n};\n"
        }
        text += "\nstatic const WebAsset all[] = {\n"
        for (number, path) in Self.files.enumerated() {
            text += "    {\"\(path.dropFirst(Self.folder.count + 1))\", file\(number), sizeof file\(number)},\n"
        }
        text += "    {0, 0, 0},\n};\n\nconst WebAsset *web_assets(void) { return all; }\n"
        if Program.environment()["UPDATE_REFERENCE"] == "1" {
            try Files.writeAtomically(Array(text.utf8), to: "\(Repository.root)/\(Self.list)", mode: 0o644)
        }
        #expect(
            try Repository.text(Self.list) == text,
            "\(Self.list) is stale: UPDATE_REFERENCE=1 swift test --filter WebAssetsTests")
    }

    @Test("ask nobody else for anything, and make no markup out of text", arguments: files)
    func harmless(path: String) throws {
        let text = try Repository.text(path)
        for careless in [
            ".innerHTML", ".outerHTML", "insertAdjacentHTML(", "document.write(", "eval(", "new Function", "DOMParser",
            "createContextualFragment", ".srcdoc", "setTimeout(\"", "@import url(http", "src=\"http", "src=\"//",
        ] {
            #expect(!text.contains(careless), "\(path) has \(careless)")
        }
    }

    @Test("are small enough to read: at most 500 lines", arguments: files.filter { $0.hasSuffix(".js") })
    func length(path: String) throws {
        let lines = try Repository.text(path).split(separator: "\n", omittingEmptySubsequences: false).count
        #expect(lines <= 500, "\(path) has \(lines) lines: split it")
    }
}
