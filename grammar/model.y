/* The grammar: tokens to tree. Three texts are parsed with it, told apart by a first token that the parser puts in
 * front: a file, one expression, one summary. After an error src/front/parse.c goes on behind the statement. */
%name vg_grammar
%token_prefix VG_T_
%token_type {vg_token}
%default_type {vg_tree_id}
%extra_context {vg_parser *parser}
%stack_size 4000
%start_symbol start

%include {
#include <assert.h>
#include <stdio.h>

#include "front/parser.h"

#define NODE(kind, begin, a, b, c) vg_parser_node(parser, VG_K_##kind, (begin), (a), (b), (c))
#define NAME(token)                vg_parser_name(parser, (token))
#define LIST(items)                vg_parser_list(parser, (items))
#define BEGIN(id)                  (vg_tree_span(parser->tree, (id)).begin)
#define BINARY(kind, a, b)         NODE(kind, BEGIN(a), (a), (b), 0)
#define RUN2(a, b)                 vg_tree_run(parser->tree, (vg_tree_id[]){ (a), (b) }, 2)
#define RUN3(a, b, c)              vg_tree_run(parser->tree, (vg_tree_id[]){ (a), (b), (c) }, 3)
}

%syntax_error   { vg_parser_error(parser, yypParser, TOKEN); }
%parse_failure  { parser->failed = true; }
%stack_overflow { vg_parser_overflow(parser); }

/* Words that begin a statement, and those behind a summary, are names elsewhere. */
%fallback NAME USE CONST DATA INPUT STATE UPDATE DEF LAYER INITIALIZER OPTIMIZER RETURN TRAIN SUMMARY EXPECT AS EVERY.

%left ELSE.
%left OR.
%left AND.
%right NOT.
%nonassoc EQ NE LT LE GT GE.
%left PLUS MINUS.
%left STAR SLASH MATMUL.
%right NEG.
%right CARET.
%left LPAREN LBRACKET DOT.

%type stmts    {vg_items}
%type setlist  {vg_items}
%type exprs    {vg_items}
%type params   {vg_items}
%type paramlist {vg_items}
%type dims     {vg_items}
%type args     {vg_items}
%type arglist  {vg_items}
%type subs     {vg_items}
%type settings {vg_items}
%type target   {vg_target}

start ::= AS_FILE stmts(A).                            { parser->root = vg_parser_block(parser, A); }
start ::= AS_EXPRESSION expr(A) END.                   { parser->root = A; }
start ::= AS_SUMMARY NAME(K) exprs(A) tag(B) every(C) END. {
    parser->root = NODE(summary, K.span.begin, NAME(K), LIST(A), RUN2(B, C));
}

stmts(A) ::= .                                         { A = vg_parser_items(parser); }
stmts(A) ::= stmts(A) END.
stmts(A) ::= stmts(A) stmt(B) END.                     { vg_parser_statement(parser, &A, B); }
stmts(A) ::= stmts(A) error END. {
    vg_parser_mistake(parser, &A);
    yypParser->yyerrcnt = -1;   /* the next mistake is reported, however near */
}
block(A) ::= LBRACE(L) stmts(B) RBRACE.                { A = NODE(block, L.span.begin, LIST(B), 0, 0); }
block(A) ::= LBRACE(L) stmts(B) stmt(C) RBRACE. {
    vg_parser_statement(parser, &B, C);
    A = NODE(block, L.span.begin, LIST(B), 0, 0);
}

stmt(A) ::= USE(K) string(B).                          { A = NODE(use, K.span.begin, B, 0, 0); }
stmt(A) ::= USE(K) string(B) LPAREN args(C) RPAREN.    { A = NODE(use, K.span.begin, B, LIST(C), 0); }
stmt(A) ::= CONST(K) NAME(N) ASSIGN expr(B).           { A = NODE(const, K.span.begin, NAME(N), B, 0); }
stmt(A) ::= DATA(K) NAME(N) ASSIGN expr(B).            { A = NODE(data, K.span.begin, NAME(N), B, 0); }
stmt(A) ::= INPUT(K) NAME(N) COLON expr(S) ASSIGN expr(B). { A = NODE(input, K.span.begin, NAME(N), S, B); }
stmt(A) ::= INPUT(K) NAME(N) COLON expr(S).            { A = NODE(input, K.span.begin, NAME(N), S, 0); }
stmt(A) ::= VAR(K) NAME(N) COLON expr(S) init(I).      { A = NODE(var, K.span.begin, NAME(N), S, I); }
stmt(A) ::= STATE(K) NAME(N) COLON expr(S) init(I).    { A = NODE(state, K.span.begin, NAME(N), S, I); }
stmt(A) ::= UPDATE(K) expr(B) ASSIGN expr(C).          { A = NODE(update, K.span.begin, B, C, 0); }
stmt(A) ::= target(T) ASSIGN expr(B).                  { A = NODE(bind, BEGIN(T.name), T.name, T.indices, B); }
stmt(A) ::= DEF(K) NAME(N) LPAREN params(P) RPAREN ASSIGN expr(B). {
    A = NODE(def, K.span.begin, NAME(N), LIST(P), B);
}
stmt(A) ::= DEF(K) NAME(N) LPAREN params(P) RPAREN block(B). {
    A = NODE(def, K.span.begin, NAME(N), LIST(P), B);
}
stmt(A) ::= LAYER(K) NAME(N) LPAREN params(P) RPAREN block(B). {
    A = NODE(layer, K.span.begin, NAME(N), LIST(P), B);
}
stmt(A) ::= INITIALIZER(K) NAME(N) LPAREN params(P) RPAREN FOR NAME(S) block(B). {
    A = NODE(initializer, K.span.begin, NAME(N), LIST(P), RUN2(NAME(S), B));
}
stmt(A) ::= OPTIMIZER(K) NAME(N) LPAREN params(Q) RPAREN FOR NAME(P) COMMA NAME(G) block(B). {
    A = NODE(optimizer, K.span.begin, NAME(N), LIST(Q), RUN3(NAME(P), NAME(G), B));
}
stmt(A) ::= FOR(K) NAME(N) IN expr(B) RANGE expr(C) block(D). { A = NODE(for, K.span.begin, NAME(N), RUN2(B, C), D); }
stmt(A) ::= ifstmt(A).
ifstmt(A) ::= IF(K) expr(B) block(C).                  { A = NODE(if, K.span.begin, B, C, 0); }
ifstmt(A) ::= IF(K) expr(B) block(C) ELSE block(D).    { A = NODE(if, K.span.begin, B, C, D); }
ifstmt(A) ::= IF(K) expr(B) block(C) ELSE ifstmt(D).   { A = NODE(if, K.span.begin, B, C, D); }
stmt(A) ::= RETURN(K) expr(B).                         { A = NODE(return, K.span.begin, B, 0, 0); }
stmt(A) ::= TRAIN(K) expr(B) settings(C).              { A = NODE(train, K.span.begin, B, LIST(C), 0); }
stmt(A) ::= SUMMARY(K) NAME(N) exprs(B) tag(C) every(D). {
    A = NODE(summary, K.span.begin, NAME(N), LIST(B), RUN2(C, D));
}
stmt(A) ::= EXPECT(K) expr(B) message(C) every(D).     { A = NODE(expect, K.span.begin, B, C, D); }

settings(A) ::= LBRACE setlist(B) RBRACE.              { A = B; }
settings(A) ::= LBRACE setlist(B) setting(C) RBRACE.   { vg_parser_push(parser, &B, C); A = B; }
setlist(A) ::= .                                       { A = vg_parser_items(parser); }
setlist(A) ::= setlist(A) END.
setlist(A) ::= setlist(A) setting(B) END.              { vg_parser_push(parser, &A, B); }
setlist(A) ::= setlist(A) error END.                   { yypParser->yyerrcnt = -1; }
setting(A) ::= NAME(N) ASSIGN expr(B).                 { A = NODE(setting, N.span.begin, NAME(N), B, 0); }

init(A) ::= ASSIGN(T) expr(B).                         { A = NODE(init_value, T.span.begin, B, 0, 0); }
init(A) ::= TILDE(T) expr(B).                          { A = NODE(init_draw, T.span.begin, B, 0, 0); }
target(A) ::= NAME(N).                                 { A = (vg_target){ NAME(N), 0 }; }
target(A) ::= NAME(N) LBRACKET exprs(B) RBRACKET.      { A = (vg_target){ NAME(N), LIST(B) }; }
tag(A) ::= .                                           { A = 0; }
tag(A) ::= AS string(B).                               { A = B; }
every(A) ::= .                                         { A = 0; }
every(A) ::= EVERY expr(B).                            { A = B; }
message(A) ::= .                                       { A = 0; }
message(A) ::= COMMA string(B).                        { A = B; }

params(A) ::= .                                        { A = vg_parser_items(parser); }
params(A) ::= paramlist(A).
params(A) ::= paramlist(A) COMMA.
paramlist(A) ::= param(B).                             { A = vg_parser_first(parser, B); }
paramlist(A) ::= paramlist(A) COMMA param(B).          { vg_parser_push(parser, &A, B); }
param(A) ::= NAME(N).                                  { A = NODE(parameter, N.span.begin, NAME(N), 0, 0); }
param(A) ::= NAME(N) ASSIGN expr(B).                   { A = NODE(parameter, N.span.begin, NAME(N), B, 0); }
param(A) ::= NAME(N) COLON sig(B).                     { A = NODE(parameter, N.span.begin, NAME(N), 0, B); }
sig(A) ::= LBRACKET(L) dims(B) RBRACKET.               { A = NODE(signature, L.span.begin, 0, LIST(B), 0); }
sig(A) ::= LBRACKET(L) RBRACKET.                       { A = NODE(signature, L.span.begin, 0, 0, 0); }
sig(A) ::= NAME(N) LBRACKET dims(B) RBRACKET. {
    A = NODE(signature, N.span.begin, NAME(N), LIST(B), 0);
}
dims(A) ::= dim(B).                                    { A = vg_parser_first(parser, B); }
dims(A) ::= dims(A) COMMA dim(B).                      { vg_parser_push(parser, &A, B); }
dim(A) ::= expr(A).
dim(A) ::= ELLIPSIS(T).                                { A = NODE(ellipsis, T.span.begin, 0, 0, 0); }

exprs(A) ::= expr(B).                                  { A = vg_parser_first(parser, B); }
exprs(A) ::= exprs(A) COMMA expr(B).                   { vg_parser_push(parser, &A, B); }
args(A) ::= .                                          { A = vg_parser_items(parser); }
args(A) ::= arglist(A).
args(A) ::= arglist(A) COMMA.
arglist(A) ::= arg(B).                                 { A = vg_parser_first(parser, B); }
arglist(A) ::= arglist(A) COMMA arg(B).                { vg_parser_push(parser, &A, B); }
arg(A) ::= expr(B).                                    { A = NODE(argument, BEGIN(B), 0, B, 0); }
arg(A) ::= NAME(N) ASSIGN expr(B).                     { A = NODE(argument, N.span.begin, NAME(N), B, 0); }
subs(A) ::= sub(B).                                    { A = vg_parser_first(parser, B); }
subs(A) ::= subs(A) COMMA sub(B).                      { vg_parser_push(parser, &A, B); }
sub(A) ::= expr(A).
sub(A) ::= STAR(T).                                    { A = NODE(sub_all, T.span.begin, 0, 0, 0); }
sub(A) ::= COLON(T).                                   { A = NODE(sub_range, T.span.begin, 0, 0, 0); }
sub(A) ::= expr(B) COLON.                              { A = NODE(sub_range, BEGIN(B), B, 0, 0); }
sub(A) ::= COLON(T) expr(B).                           { A = NODE(sub_range, T.span.begin, 0, B, 0); }
sub(A) ::= expr(B) COLON expr(C).                      { A = NODE(sub_range, BEGIN(B), B, C, 0); }

string(A) ::= STRING(T).                               { A = vg_parser_string(parser, T.span); }
expr(A) ::= NUMBER(T).                                 { A = vg_parser_number(parser, T); }
expr(A) ::= string(A).
expr(A) ::= TRUE(T).                                   { A = NODE(bool, T.span.begin, 1, 0, 0); }
expr(A) ::= FALSE(T).                                  { A = NODE(bool, T.span.begin, 0, 0, 0); }
expr(A) ::= NAME(N).                                   { A = NAME(N); }
expr(A) ::= LPAREN(L) expr(B) RPAREN.                  { A = NODE(group, L.span.begin, B, 0, 0); }
expr(A) ::= LBRACKET(L) RBRACKET.                      { A = NODE(list, L.span.begin, 0, 0, 0); }
expr(A) ::= LBRACKET(L) exprs(B) RBRACKET.             { A = NODE(list, L.span.begin, LIST(B), 0, 0); }
expr(A) ::= LBRACKET(L) exprs(B) COMMA RBRACKET.       { A = NODE(list, L.span.begin, LIST(B), 0, 0); }
expr(A) ::= LBRACKET(L) expr(B) FOR NAME(N) IN expr(C) RANGE expr(D) RBRACKET. {
    A = NODE(build, L.span.begin, B, NAME(N), RUN3(C, D, 0));
}
expr(A) ::= LBRACKET(L) expr(B) FOR NAME(N) IN expr(C) RANGE expr(D) IF expr(E) RBRACKET. {
    A = NODE(build, L.span.begin, B, NAME(N), RUN3(C, D, E));
}
expr(A) ::= expr(B) LPAREN args(C) RPAREN.             { A = NODE(call, BEGIN(B), B, LIST(C), 0); }
expr(A) ::= expr(B) LBRACKET subs(C) RBRACKET.         { A = NODE(subscript, BEGIN(B), B, LIST(C), 0); }
expr(A) ::= expr(B) DOT NAME(N).                       { A = NODE(member, BEGIN(B), B, NAME(N), 0); }
expr(A) ::= expr(B) DOT STAR.                          { A = NODE(member_star, BEGIN(B), B, 0, 0); }
expr(A) ::= expr(B) DOT STARSTAR.                      { A = NODE(member_deep, BEGIN(B), B, 0, 0); }
expr(A) ::= MINUS(T) expr(B). [NEG]                    { A = NODE(negate, T.span.begin, B, 0, 0); }
expr(A) ::= NOT(T) expr(B).                            { A = NODE(not, T.span.begin, B, 0, 0); }
expr(A) ::= expr(B) PLUS expr(C).                      { A = BINARY(add, B, C); }
expr(A) ::= expr(B) MINUS expr(C).                     { A = BINARY(subtract, B, C); }
expr(A) ::= expr(B) STAR expr(C).                      { A = BINARY(multiply, B, C); }
expr(A) ::= expr(B) SLASH expr(C).                     { A = BINARY(divide, B, C); }
expr(A) ::= expr(B) MATMUL expr(C).                    { A = BINARY(matmul, B, C); }
expr(A) ::= expr(B) CARET expr(C).                     { A = BINARY(power, B, C); }
expr(A) ::= expr(B) EQ expr(C).                        { A = BINARY(eq, B, C); }
expr(A) ::= expr(B) NE expr(C).                        { A = BINARY(ne, B, C); }
expr(A) ::= expr(B) LT expr(C).                        { A = BINARY(lt, B, C); }
expr(A) ::= expr(B) LE expr(C).                        { A = BINARY(le, B, C); }
expr(A) ::= expr(B) GT expr(C).                        { A = BINARY(gt, B, C); }
expr(A) ::= expr(B) GE expr(C).                        { A = BINARY(ge, B, C); }
expr(A) ::= expr(B) AND expr(C).                       { A = BINARY(and, B, C); }
expr(A) ::= expr(B) OR expr(C).                        { A = BINARY(or, B, C); }
expr(A) ::= IF(K) expr(B) THEN expr(C) ELSE expr(D). [ELSE] { A = NODE(if_else, K.span.begin, B, C, D); }

%code {
void *vg_grammar_new(vg_parser *parser) {
    yyParser *machine = vg_mem_alloc(parser->tree->mem, sizeof *machine);
    vg_grammarInit(machine, parser);
    return machine;
}

bool vg_grammar_accepts(const void *machine, int kind) {
    const yyParser *const p = machine;
    const YYACTIONTYPE action = yy_find_shift_action((YYCODETYPE)kind, p->yytos->stateno);
    return action != YY_ERROR_ACTION && action != YY_NO_ACTION;
}
}
