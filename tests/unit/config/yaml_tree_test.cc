// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_tree.h"

#include <doctest/doctest.h>

#include "tests/unit/config/support.h"

using namespace ringmaster::config;

TEST_CASE("yaml tree: nodes keep their places and bytes") {
    Report report;
    const auto root = read_yaml("a:\n  k: \"x\\0y\"\n  l:\n    - 1\n    -\n", report);
    REQUIRE(root);
    CHECK_FALSE(report.has_errors());
    CHECK(root->kind == Node::Kind::kMapping);
    REQUIRE(root->children.size() == 2);
    const Node& body = root->children[1];
    REQUIRE(body.children.size() == 4);
    CHECK(body.children[0].text == "k");
    CHECK(body.children[1].text == std::string("x\0y", 3));
    CHECK(body.children[1].mark.line == 2);
    CHECK(body.children[1].mark.column == 6);
    const Node& list = body.children[3];
    CHECK(list.kind == Node::Kind::kSequence);
    REQUIRE(list.children.size() == 2);
    CHECK(list.children[0].mark.line == 4);
    CHECK(list.children[1].text.empty());
}

TEST_CASE("yaml tree: a byte order mark and CR LF line ends change nothing") {
    Report report;
    const auto root = read_yaml(
        "\xef\xbb\xbf"
        "a:\r\n  b: c\r\n",
        report);
    REQUIRE(root);
    CHECK(root->children[0].text == "a");
    CHECK(root->children[1].children[1].text == "c");
    CHECK(root->children[1].children[1].mark.line == 2);
}

TEST_CASE("yaml tree: what lies too deep is left out and keys still pair with values") {
    Report report;
    const auto root =
        read_yaml("a:\n b:\n  c:\n   d:\n    e:\n     f: g\n    h: i\n   j: k\nl: m\n", report);
    REQUIRE(root);
    CHECK_FALSE(report.has_errors());
    REQUIRE(root->children.size() == 4);
    CHECK(root->children[2].text == "l");
    CHECK(root->children[3].text == "m");
}

TEST_CASE("yaml tree: a value that runs over lines is marked") {
    Report report;
    const auto root = read_yaml("a: b\n   c\nd: e\n", report);
    REQUIRE(root);
    CHECK(root->children[1].text == "b c");
    CHECK(root->children[1].several_lines);
    CHECK_FALSE(root->children[3].several_lines);
}

TEST_CASE("yaml tree: each forbidden part is named") {
    struct Case {
        const char* text;
        const char* message;
    };
    const Case cases[] = {
        {"--- \na: b\n", "document start"},
        {"a: b\n...\n", "document end"},
        {"%YAML 1.1\n---\na: b\n", "directives"},
        {"a: [b]\n", "flow style '[...]'"},
        {"a: {b: c}\n", "flow style '{...}'"},
        {"a: &x b\n", "anchors"},
        {"a: *x\n", "aliases"},
        {"a: ! b\n", "tags"},
        {"a: !!str b\n", "tags"},
        {"a: b\n---\nc: d\n", "second YAML document"},
        {"", "the file is empty"},
        {"# nothing\n", "the file is empty"},
    };
    for (const Case& one : cases) {
        Report report;
        read_yaml(one.text, report);
        CHECK(report.has_errors());
        bool found = false;
        for (const Diagnostic& diagnostic : report.take()) {
            found = found || contains(diagnostic.message, one.message);
        }
        CHECK_MESSAGE(found, one.text);
    }
}
