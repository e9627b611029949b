; What the Python grammar's nodes are, in the terms of src/lang/syntax.rs: one pattern a node kind.
(identifier) @identifier
(string) @text
(integer) @number
(float) @number
(true) @true
(false) @false
(none) @null
(comment) @skip
(call function: (_) @callee arguments: (_) @arguments) @call
(attribute object: (_) @base attribute: (_) @name) @member
(dictionary) @object
(list) @list
(tuple) @list
(set) @list
(lambda body: (_) @body) @function
(function_definition name: (_) @name body: (_) @body) @function.declaration
(class_definition name: (_) @name body: (_) @body) @class.declaration
(await) @await
(parenthesized_expression) @wrap
(block) @block
(expression_statement) @statement
(if_statement condition: (_) @condition consequence: (_) @then) @if
(while_statement condition: (_) @condition body: (_) @body) @while
(for_statement left: (_) @left right: (_) @right body: (_) @body) @each
(try_statement body: (_) @body) @try
(return_statement) @return
(raise_statement) @throw
(break_statement) @jump
(continue_statement) @jump
(import_statement) @import
(import_from_statement) @import
