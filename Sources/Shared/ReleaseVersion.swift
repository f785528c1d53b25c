/// The version of this build: the same for api, engine and aos.
package enum ReleaseVersion {
    package static let text = "0.1.0"
}
