import HTTP
import Platform
import Shared
import WebAssets

/// The files of the web UI: those in the program, or those of a folder for who works on them.
struct WebFiles: Sendable {
    /// Of a file in the folder; those in the program are as long as they are.
    private static let fileBytesMax = 1 << 20

    private static let mediaTypes = [
        "css": "text/css; charset=utf-8", "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8",
        "png": "image/png", "svg": "image/svg+xml", "webmanifest": "application/manifest+json",
    ]

    /// What a page of ours may do: its own files and this api, and nothing else whatever text finds its way into it
    /// (CSP Level 3; Trusted Types: no string ever becomes markup).
    static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob:", "connect-src 'self'",
        "font-src 'self'", "manifest-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
        "require-trusted-types-for 'script'", "trusted-types 'none'",
    ].joined(separator: "; ")

    static let fields: HTTPFields = [
        .contentSecurityPolicy: policy, .referrerPolicy: "no-referrer", .xContentTypeOptions: "nosniff",
        .crossOriginOpenerPolicy: "same-origin", .crossOriginResourcePolicy: "same-origin",
        .permissionsPolicy: "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ]

    /// Where the bytes of a file of the program are; they live as long as it does.
    private struct Asset: @unchecked Sendable {
        // Constant data of the program: nobody writes to it.
        let bytes: UnsafeBufferPointer<UInt8>
    }

    private let assets: [String: Asset]
    private let folder: String?

    /// - Parameter folder: Files are taken from there as they are now; nil for those in the program.
    init(folder: String?) {
        self.folder = folder
        var assets: [String: Asset] = [:]
        if var next = web_assets() {
            while let path = next.pointee.path {
                assets[String(cString: path)] = Asset(
                    bytes: UnsafeBufferPointer(start: next.pointee.bytes, count: next.pointee.length))
                next += 1
            }
        }
        self.assets = assets
    }

    /// The paths of the files in the program.
    var paths: [String] { assets.keys.sorted() }

    /// - Parameter path: Below the folder, such as `screens/run.js`; each part of it harmless.
    /// - Returns: Nil for what is not there, or is of no kind that a page needs.
    func file(_ path: String) -> (bytes: [UInt8], mediaType: String)? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy(Self.isHarmless), let dot = path.lastIndex(of: "."),
            let mediaType = Self.mediaTypes[String(path[path.index(after: dot)...])]
        else { return nil }
        if let folder {
            guard let bytes = try? Files.read("\(folder)/\(path)", bytesMax: Self.fileBytesMax) else { return nil }
            return (bytes, mediaType)
        }
        return assets[path].map { (Array($0.bytes), mediaType) }
    }

    private static func isHarmless(_ part: Substring) -> Bool {
        part.first != "." && !part.isEmpty
            && part.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
