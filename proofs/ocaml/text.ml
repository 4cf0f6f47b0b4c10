(* Section 1 of FORMAT.md: a file is lines, a line is tokens, a token has one spelling.
   The file is one string.  Every byte of it is looked at by exactly one of the functions here, which accept nothing but
   the tokens of the format and single blanks between them; limits are checked before a number is made. *)

exception Rejected of string

(* a certificate in the form of this format, as far as it was read, of a kind that the checker does not read *)
exception Unknown of string

let token_digits = 0x10000
let long_token_digits = 0x100000
let line_bytes = 0x4000000
let largest_size = 0x100000
let largest_exponent = 0x2000
let most_layers = 0x1000
(* naturals that become machine integers *)
let largest_count = 0x40000000

(* ---------- lines ---------- *)

(* the line from `start` up to its LF at `stop`; start = the file's length: no line is left *)
type t = { bytes : string; mutable start : int; mutable stop : int; mutable number : int }

(* what is left of a line, which begins at `line_start`, after its keyword: from `position` up to `stop` *)
type fields = { text : string; line_start : int; mutable position : int; stop : int; section : string; line : int; digits : int }

let reject section reason = raise (Rejected (Printf.sprintf "section %s: %s" section reason))

(* a line of which something was refused; section 1 comes first if it is no line of any file *)
let reject_line bytes start stop section reason =
  let rec malformed i =
    i < stop && (bytes.[i] >= '\128' || (bytes.[i] = ' ' && (i = start || bytes.[i - 1] = ' ')) || malformed (i + 1)) in
  reject (if malformed start then "1" else section) reason

let read_line text =
  if text.start < String.length text.bytes then begin
    text.number <- text.number + 1;
    match String.index_from_opt text.bytes text.start '\n' with
    | None -> reject "1" (Printf.sprintf "line %d does not end in LF; the file may be cut off" text.number)
    | Some stop ->
        if stop - text.start > line_bytes then reject "1" (Printf.sprintf "line %d is longer than %d bytes" text.number line_bytes);
        if stop > text.start && text.bytes.[stop - 1] = ' ' then
          reject "1" (Printf.sprintf "line %d has a blank at its end" text.number);
        text.stop <- stop
  end

let of_string bytes =
  let text = { bytes; start = 0; stop = 0; number = 0 } in
  read_line text;
  text

let at_end text = text.start >= String.length text.bytes

let same_bytes bytes position word =
  let rec same i = i = String.length word || (bytes.[position + i] = word.[i] && same (i + 1)) in
  same 0

let begins text keyword =
  let length = String.length keyword in
  not (at_end text) && text.stop - text.start >= length && same_bytes text.bytes text.start keyword
  && (text.stop = text.start + length || text.bytes.[text.start + length] = ' ')

let is_long = function
  | "point" | "output" | "solution" | "relation" | "null" | "implicit" | "trivial exact" | "farkas" | "ray margin" | "ray exact" -> true
  | _ -> false

(* the rest of the next line, which must begin with `keyword` *)
let take text keyword section =
  if at_end text then reject section (Printf.sprintf "the file ends where `%s` belongs" keyword);
  if not (begins text keyword) then
    reject_line text.bytes text.start text.stop section (Printf.sprintf "line %d: `%s` belongs here" text.number keyword);
  let fields = {
    text = text.bytes; line_start = text.start; stop = text.stop;
    position = min text.stop (text.start + String.length keyword + 1); section;
    line = text.number; digits = if is_long keyword then long_token_digits else token_digits } in
  text.start <- text.stop + 1;
  read_line text;
  fields

(* ---------- tokens ---------- *)

let refuse fields reason =
  reject_line fields.text fields.line_start fields.stop fields.section (Printf.sprintf "line %d: %s" fields.line reason)

let is_empty fields = fields.position >= fields.stop
let finish fields = if not (is_empty fields) then refuse fields "something is left at the end of the line"

(* whether this word is all that is left of the line *)
let is_alone fields word =
  fields.stop - fields.position = String.length word && same_bytes fields.text fields.position word

let finish_text text section =
  finish (take text "end" section);
  if not (at_end text) then reject "1" (Printf.sprintf "line %d: something follows `end`" text.number)

(* What comes now is of this section and not read: the lines that are left are only asked to be lines, up to `end`. *)
let unknown (text : t) section what =
  let rec is_tokens i after_blank =
    if i = text.stop then not after_blank
    else match text.bytes.[i] with
      | ' ' -> not after_blank && is_tokens (i + 1) true
      | '!' .. '~' -> is_tokens (i + 1) false
      | _ -> false in
  let rec pass () =
    if not (at_end text || begins text "end") then begin
      if not (is_tokens text.start true) then reject "1" (Printf.sprintf "line %d is not tokens between single blanks" text.number);
      text.start <- text.stop + 1;
      read_line text;
      pass ()
    end in
  pass ();
  finish_text text "4";
  raise (Unknown (Printf.sprintf "section %s: the machine-checked program does not read %s yet" section what))

(* where the next token ends; it is taken *)
let token fields what =
  let start = fields.position in
  let rec ending i = if i < fields.stop && fields.text.[i] <> ' ' then ending (i + 1) else i in
  let stop = ending start in
  if stop = start then refuse fields (what ^ " is missing");
  if stop - start > fields.digits + 1 then refuse fields (what ^ " is too long");
  fields.position <- min fields.stop (stop + 1);
  (start, stop)

let token_text fields what =
  let start, stop = token fields what in
  String.sub fields.text start (stop - start)

let word fields words =
  let found = token_text fields "a word" in
  if List.mem found words then found else refuse fields ("one of these belongs here: " ^ String.concat ", " words)

(* 0 to 15, or -1 *)
let digit = function
  | '0' .. '9' as c -> Char.code c - 48
  | 'a' .. 'f' as c -> Char.code c - 87
  | _ -> -1

let rec are_digits bytes start stop = start = stop || (digit bytes.[start] >= 0 && are_digits bytes (start + 1) stop)

(* a natural number's one spelling, of at most this many digits *)
let is_natural bytes start stop limit =
  stop > start && stop - start <= limit && (bytes.[start] <> '0' || stop = start + 1) && are_digits bytes start stop

let natural_token fields what =
  let start, stop = token fields what in
  if not (is_natural fields.text start stop fields.digits) then refuse fields (what ^ " is not a natural number in hexadecimal");
  (start, stop)

let value bytes start stop =
  if stop - start <= 15 then begin
    let rec from i sum = if i = stop then sum else from (i + 1) ((sum lsl 4) lor digit bytes.[i]) in
    Z.of_int (from start 0)
  end else Z.of_substring_base 16 bytes ~pos:start ~len:(stop - start)

let natural fields what =
  let start, stop = natural_token fields what in
  value fields.text start stop

let natural_below fields what limit =
  let found = natural fields what in
  if Z.gt found (Z.of_int limit) then refuse fields (Printf.sprintf "%s is larger than %d" what limit);
  Z.to_int found

let count fields what = natural_below fields what largest_count

let positive fields what =
  let found = natural fields what in
  if Z.sign found = 0 then refuse fields (what ^ " is 0");
  found

(* an integer's one spelling *)
let is_integer bytes start stop limit =
  if bytes.[start] = '-' then is_natural bytes (start + 1) stop limit && bytes.[start + 1] <> '0' else is_natural bytes start stop limit

let integer_value bytes start stop =
  if bytes.[start] = '-' then Z.neg (value bytes (start + 1) stop) else value bytes start stop

let integer fields what =
  let start, stop = token fields what in
  if not (is_integer fields.text start stop fields.digits) then refuse fields (what ^ " is not an integer in hexadecimal");
  integer_value fields.text start stop

let nonzero fields what =
  let start, stop = token fields what in
  if not (is_integer fields.text start stop fields.digits) || fields.text.[start] = '0' then
    refuse fields (what ^ " is not an integer other than 0 in hexadecimal");
  integer_value fields.text start stop

let exponent fields =
  let start, stop = token fields "an exponent" in
  if not (is_integer fields.text start stop 4) then refuse fields "an exponent is not an integer of the allowed size";
  let found = Z.to_int (integer_value fields.text start stop) in
  if abs found > largest_exponent then refuse fields (Printf.sprintf "an exponent is beyond %d" largest_exponent);
  found

(* bit i of the number is element i; there are no elements above its highest digit *)
let mask fields what =
  let start, stop = natural_token fields what in
  let rec onto i bits =
    if i = stop then bits
    else
      let d = digit fields.text.[i] in
      onto (i + 1) ((d land 1 = 1) :: (d land 2 = 2) :: (d land 4 = 4) :: (d land 8 = 8) :: bits) in
  onto start []

let sha256 fields =
  let start, stop = token fields "a SHA-256" in
  if stop - start <> 64 || not (are_digits fields.text start stop) then refuse fields "a SHA-256 is not 64 lower-case hexadecimal digits";
  String.sub fields.text start 64

let name fields =
  let start, stop = token fields "a name" in
  let is_hexadecimal = function '0' .. '9' | 'A' .. 'F' -> true | _ -> false in
  let rec is_encoded i =
    i = stop
    || match fields.text.[i] with
       | 'A' .. 'Z' | 'a' .. 'z' | '0' .. '9' | '-' | '.' | '_' | '~' -> is_encoded (i + 1)
       | '%' -> i + 2 < stop && is_hexadecimal fields.text.[i + 1] && is_hexadecimal fields.text.[i + 2] && is_encoded (i + 3)
       | _ -> false in
  if not (is_encoded start) then refuse fields "a name is not percent-encoded"

(* All that is left of the line, and how many numbers that is.  Read from the right, so that the list is made in order. *)
let integers fields =
  let bytes = fields.text and first = fields.position in
  let not_an_integer () = refuse fields "not integers in hexadecimal, one blank between two, or one is too long" in
  (* a token whose last character is at `last`: its short value while its digits come from right to left *)
  let rec short last i shift sum =
    if i < first then (sum, i)
    else
      match bytes.[i] with
      | ' ' -> (sum, i)
      | '-' when i < last && bytes.[i + 1] <> '0' && (i = first || bytes.[i - 1] = ' ') -> (-sum, i - 1)
      | c ->
          let d = digit c in
          if d < 0 then not_an_integer ();
          if shift = 60 then (0, -2) else short last (i - 1) (shift + 4) (sum lor (d lsl shift)) in
  let rec beginning i = if i > first && bytes.[i - 1] <> ' ' then beginning (i - 1) else i in
  let rec onto last numbers found =
    let sum, before = short last last 0 0 in
    if before = -2 then begin
      let start = beginning last in
      if not (is_integer bytes start (last + 1) fields.digits) then not_an_integer ();
      next (start - 1) (integer_value bytes start (last + 1) :: numbers) (found + 1)
    end else begin
      if before = last then not_an_integer ();
      if bytes.[before + 1] = '0' && before + 1 < last then not_an_integer ();
      next before (Z.of_int sum :: numbers) (found + 1)
    end
  and next blank numbers found =
    if blank < first then (numbers, found)
    else if blank = first then not_an_integer ()
    else onto (blank - 1) numbers found in
  if is_empty fields then ([], 0)
  else begin
    fields.position <- fields.stop;
    onto (fields.stop - 1) [] 0
  end
