/// What may grow while a message is read, and how far.
package struct HTTPLimits: Sendable, Hashable {
    /// Method, target and version, with the line end.
    package var requestLineBytesMax = 8 << 10
    /// The request or status line, all fields and the line ends.
    package var headBytesMax = 32 << 10
    package var fieldsMax = 100
    /// What a body may have when nobody says otherwise.
    package var bodyBytesMax = 1 << 20
    /// The extensions of one chunk.
    package var chunkExtensionBytesMax = 256
    package var trailerBytesMax = 8 << 10
    package var trailerFieldsMax = 32

    package init() {}

    package static let standard = HTTPLimits()
}
