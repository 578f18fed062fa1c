" Four spaces for each bracket or brace that is open; brackets that one line opens count once.
if exists('b:did_indent')
  finish
endif
let b:did_indent = 1
setlocal indentexpr=GetNnIndent(v:lnum) indentkeys=0{,0},0),0],!^F,o,O nolisp nosmartindent
let b:undo_indent = 'setlocal indentexpr< indentkeys< lisp< smartindent<'

" A line without its strings and its comment.
function! s:Code(number)
  return substitute(substitute(getline(a:number), '"\%(\\.\|[^"\\]\)*"', '', 'g'), '#.*', '', '')
endfunction

" How many levels a line opens (1) or closes (-1), what it closes at its beginning left out.
function! s:Change(number)
  let code = substitute(s:Code(a:number), '^\s*[\])}]\+', '', '')
  let opened = len(substitute(code, '[^(\[{]', '', 'g')) - len(substitute(code, '[^)\]}]', '', 'g'))
  return opened > 0 ? 1 : opened < 0 ? -1 : 0
endfunction

function! GetNnIndent(number)
  let above = prevnonblank(a:number - 1)
  if above == 0
    return 0
  endif
  let level = indent(above) / shiftwidth() + s:Change(above)
  return shiftwidth() * max([0, level - (s:Code(a:number) =~# '^\s*[\])}]')])
endfunction
