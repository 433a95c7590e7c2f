// swift-tools-version:6.0
import Foundation
import PackageDescription

// Rust's library comes in one of two ways: what `scripts/ffi` built for this machine, or for Apple's platforms what
// `scripts/swift-xcframework` put together, where that is there.
let framework = "PlanntFFI.xcframework"
let hasFramework = FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/\(framework)")

let package = Package(
    name: "Plannt",
    platforms: [.iOS(.v15), .macOS(.v12), .macCatalyst(.v15)],
    products: [.library(name: "Plannt", targets: ["Plannt"])],
    targets: [
        hasFramework ? .binaryTarget(name: "PlanntFFI", path: framework) : .systemLibrary(name: "PlanntFFI"),
        .target(
            name: "Plannt",
            dependencies: ["PlanntFFI"],
            // The generated source is Swift 5's.
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: hasFramework ? [] : [.unsafeFlags(["-L\(Context.packageDirectory)/lib"])]
        ),
        .executableTarget(name: "pay-example", dependencies: ["Plannt"], path: "Examples/Pay"),
        .testTarget(name: "PlanntTests", dependencies: ["Plannt"]),
    ]
)
