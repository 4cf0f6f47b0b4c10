(* Sections 3 and 4 of FORMAT.md: a certificate of any kind as the checker's data.  Nothing is computed
   from it: where the number of values on a line, or of lines, depends on the network, what is there is taken, and the checker
   compares the counts. *)

(* Z is zarith's module throughout, not the one of that name in the extracted checker *)
module Integers = Z
open Checker
module Z = Integers

type t =
  | OneLayer of certificate
  | Through of through_certificate
  | Collision of collision_certificate
  | Injectivity of injectivity_certificate

(* the first two lines: the SHA-256 of the network *)
let read_header text =
  Text.finish (Text.take text "exactrelu-certificate 1" "3");
  let fields = Text.take text "network" "3" in
  let sha256 = Text.sha256 fields in
  Text.finish fields;
  sha256

(* ---------- parts of lines ---------- *)

let rest_of fields = fst (Text.integers fields)

(* D v1 .. vn *)
let point_of fields =
  let denominator = Text.positive fields "a denominator" in
  { denominator; numerators = rest_of fields }

let read_point text keyword section = point_of (Text.take text keyword section)

(* E d1 .. dn: what a ray says does not depend on E *)
let direction_of fields =
  ignore (Text.exponent fields);
  rest_of fields

(* S E w1 .. wk *)
let margin_of fields =
  let selected = Text.mask fields "S" in
  let outside = Text.natural_below fields "E" Text.largest_exponent in
  (selected, Z.of_int outside, rest_of fields)

(* the lines that begin with the keyword, in order *)
let lines_of text keyword section read =
  let rec onto found = if Text.begins text keyword then onto (read (Text.take text keyword section) :: found) else List.rev found in
  onto []

(* ---------- section 3 ---------- *)

let read_data text =
  let fields = Text.take text "data" "3" in
  if not (Text.is_alone fields "none") then begin
    ignore (Text.sha256 fields);
    ignore (Text.natural fields "a row");
    ignore (Text.positive fields "P");
    ignore (Text.positive fields "Q");
    Text.finish fields
  end

let read_scope text =
  let fields = Text.take text "scope" "3" in
  let kind = Text.word fields [ "layer"; "through" ] in
  let layer = Text.count fields "the layer's number" in
  if layer = 0 then Text.refuse fields "the layer's number is 0";
  Text.finish fields;
  (kind, layer)

let read_side fields =
  match rest_of fields with
  | constant :: coefficients -> (constant, coefficients)
  | [] -> Text.refuse fields "a side without numbers"

let read_domain text =
  let fields = Text.take text "domain" "3.1" in
  match Text.word fields [ "all"; "orthant"; "box"; "polytope" ] with
  | "polytope" ->
      let sides = Text.natural_below fields "the number of sides" Text.largest_size in
      Text.finish fields;
      Polytope (Network_file.repeat sides (fun () -> read_side (Text.take text "side" "3.1")))
  | kind ->
      Text.finish fields;
      if kind = "all" then AllSpace
      else if kind = "orthant" then Orthant
      else
        let lower = read_point text "lower" "3.1" in
        Box (lower, read_point text "upper" "3.1")

let read_subject text =
  let fields = Text.take text "subject" "3" in
  let kind = Text.word fields [ "input"; "layer-input"; "output" ] in
  Text.finish fields;
  match kind with
  | "input" -> NetworkInput (read_point text "point" "3")
  | "layer-input" -> LayerInput (read_point text "point" "3")
  | _ -> LayerOutput (read_point text "output" "3")

let read_endpoint text =
  let fields = Text.take text "subject" "3" in
  let kind = Text.word fields [ "input"; "output" ] in
  Text.finish fields;
  if kind = "input" then InputOf (read_point text "point" "3") else OutputOf (read_point text "output" "3")

(* `empty`, or of a size the numbers that follow *)
let read_claim_line text empty of_size =
  let fields = Text.take text "claim" "3.2" in
  ignore (Text.word fields [ "preimage" ]);
  let claim =
    match Text.word fields [ "empty"; "singleton"; "bounded"; "unbounded"; "infinite" ] with
    | "empty" -> empty
    | "singleton" -> of_size fields Singleton
    | "bounded" -> of_size fields Bounded
    | "unbounded" -> of_size fields Unbounded
    | _ -> of_size fields Infinite in
  Text.finish fields;
  claim

let read_claim text =
  read_claim_line text Empty (fun fields size ->
    let dimension = Text.count fields "DIM" in
    let rank = Text.count fields "RANK" in
    Preimage (size, dimension, rank, Text.count fields "ACTIVE"))

let read_through_claim text = read_claim_line text NoInput (fun fields size -> Inputs (size, Text.count fields "ACTIVE"))

(* ---------- section 4 ---------- *)

let read_relation fields =
  let related = Text.count fields "I" in
  let factor = Text.positive fields "D" in
  let rec onto terms =
    if Text.is_empty fields then List.rev terms
    else
      let row = Text.count fields "J" in
      onto ((row, Text.nonzero fields "c") :: terms) in
  { related; factor; terms = onto [] }

let read_rank text section =
  let fields = Text.take text "rank" section in
  let rank_value = Text.count fields "R" in
  let modulus = Text.natural fields "Q" in
  if Z.equal modulus Z.one || Z.numbits modulus > 64 then Text.refuse fields "Q is 1, or not below 2^64";
  let chosen_rows = Text.mask fields "ROWS" in
  let chosen_columns = Text.mask fields "COLS" in
  let bound = Text.word fields [ "rows"; "columns"; "relations"; "null" ] in
  Text.finish fields;
  let bound_above =
    match bound with
    | "rows" -> ByRows
    | "columns" -> ByColumns
    | "relations" -> ByRelations (lines_of text "relation" section read_relation)
    | _ -> ByNullVectors (lines_of text "null" section rest_of) in
  { rank_value; modulus; chosen_rows; chosen_columns; bound_above }

(* every piece of evidence, by the words that its first line begins with *)
let readers : (string * string * (Text.t -> Text.fields -> evidence)) list = [
  ("solution", "4.1", (fun _ fields -> Solution (point_of fields)));
  ("trivial margin", "4.3", (fun _ fields ->
    let selected, outside, multipliers = margin_of fields in
    TrivialMargin (selected, outside, multipliers)));
  ("trivial exact", "4.3", (fun text fields ->
    let multipliers = rest_of fields in
    TrivialExact (multipliers, read_rank text "4.3")));
  ("tight", "4.5", (fun _ fields ->
    let implicit = Text.mask fields "E" in
    Text.finish fields;
    Tight implicit));
  ("implicit", "4.5", (fun text fields ->
    let multipliers = rest_of fields in
    Implicit (multipliers, read_rank text "4.5")));
  ("ray margin", "4.6", (fun _ fields -> RayMargin (direction_of fields)));
  ("ray exact", "4.6", (fun _ fields -> RayExact (direction_of fields)));
  ("recession", "4.7", (fun _ fields -> Recession (point_of fields)));
  ("negative", "4.8", (fun _ fields ->
    let index = Text.count fields "I" in
    Text.finish fields;
    NegativeOutput index));
  ("farkas", "4.8", (fun _ fields -> FarkasMultipliers (rest_of fields)));
  ("empty margin", "4.8", (fun _ fields ->
    let selected, outside, multipliers = margin_of fields in
    EmptyMargin (selected, outside, multipliers))) ]

(* up to the line that begins with one of these words *)
let read_evidence text ends =
  let rec onto found =
    if List.exists (Text.begins text) ends then List.rev found
    else if Text.begins text "rank" then onto (RankOf (read_rank text "4.2") :: found)
    else
      match List.find_opt (fun (keyword, _, _) -> Text.begins text keyword) readers with
      | Some (keyword, section, read) -> onto (read text (Text.take text keyword section) :: found)
      | None -> Text.reject "4" (Printf.sprintf "line %d: no evidence begins like this, or `end` is missing" text.number) in
  onto []

let read_part text =
  let fields = Text.take text "part" "4.9" in
  let part_layer = Text.count fields "the layer's number" in
  Text.finish fields;
  let part_claim = read_claim text in
  { part_layer; part_claim; part_proved_by = read_evidence text [ "part"; "end" ] }

let read_through_evidence text =
  if Text.begins text "second" then SecondPoint (read_point text "second" "4.9")
  else if Text.begins text "direction" then Direction (read_point text "direction" "4.9")
  else
    let rec onto parts = if Text.begins text "part" then onto (read_part text :: parts) else Parts (List.rev parts) in
    onto []

(* ---------- section 4.10 ---------- *)

(* a count, and as many times `read` *)
let counted fields read =
  let count = Text.natural_below fields "a count" Text.largest_size in
  Network_file.repeat count (fun () -> read fields)

(* K j1 l1 .. jK lK *)
let read_multipliers fields =
  let multipliers = counted fields (fun fields ->
    let number = Text.count fields "a number" in
    (number, Text.positive fields "a multiplier")) in
  if multipliers = [] then Text.refuse fields "no multipliers";
  multipliers

let read_numbers fields = counted fields (fun fields -> Text.count fields "a number")

let read_dependency fields =
  let dependent_rows = read_multipliers fields in
  let dependent_sides = if Text.is_empty fields then [] else read_multipliers fields in
  Text.finish fields;
  { dependent_rows; dependent_sides }

let tree_lines : (string * (Text.fields -> tree_line)) list = [
  ("branch", (fun fields -> Branch (Text.count fields "a dependency")));
  ("split", (fun fields -> Split (Text.count fields "a row")));
  ("spanned", (fun fields -> Spanned (read_relation fields)));
  ("pack", (fun fields -> Pack (read_numbers fields))) ]

let read_tree text =
  let fields = Text.take text "tree" "4.10" in
  let prime = Text.positive fields "Q" in
  if Z.equal prime Z.one || Z.numbits prime > 64 then Text.refuse fields "Q is 1, or not below 2^64";
  Text.finish fields;
  let rec onto lines =
    match List.find_opt (fun (keyword, _) -> Text.begins text keyword) tree_lines with
    | None -> List.rev lines
    | Some (keyword, read) ->
        let fields = Text.take text keyword "4.10" in
        let line = read fields in
        Text.finish fields;
        onto (line :: lines) in
  ByTree (prime, onto [])

let read_injectivity text injective_layer injective_on =
  let dependencies = lines_of text "dependency" "4.10" read_dependency in
  let flats = lines_of text "flat" "4.10" (fun fields ->
    let sides = read_multipliers fields in
    Text.finish fields;
    sides) in
  let fields = Text.take text "certain" "4.10" in
  let certain = read_numbers fields in
  Text.finish fields;
  let spanned_by = if Text.begins text "rank" then ByRank (read_rank text "4.10") else read_tree text in
  { injective_layer; injective_on; dependencies; flats; certain; spanned_by }

(* a claim about a layer or the network, not about one of its outputs *)
let read_claim_of_all_inputs text kind layer domain =
  Text.finish (Text.take text (if kind = "layer" then "subject layer" else "subject network") "3");
  let fields = Text.take text "claim" "3.2" in
  let claim = Text.word fields (if kind = "layer" then [ "collision"; "injective" ] else [ "collision" ]) in
  Text.finish fields;
  if claim = "injective" then Injectivity (read_injectivity text layer domain)
  else
    let collision_in = if kind = "layer" then LayerAlone layer else LayersThrough layer in
    let first_input = read_point text "first" "4.10" in
    Collision { collision_in; collision_on = domain; first_input; second_input = read_point text "second" "4.10" }

(* the certificate after its header; raises Text.Rejected *)
let read text =
  let without_data = Text.begins text "data none" in
  read_data text;
  let kind, layer = read_scope text in
  let domain = read_domain text in
  let certificate =
    if Text.begins text "subject layer" || Text.begins text "subject network" then begin
      if not without_data then Text.reject "3" "no array file belongs to this subject: the line is `data none`";
      read_claim_of_all_inputs text kind layer domain
    end
    else if kind = "layer" then
      let about = read_subject text in
      let claimed = read_claim text in
      OneLayer { scope_layer = layer; on = domain; about; claimed; proved_by = read_evidence text [ "end" ] }
    else
      let through_about = read_endpoint text in
      let through_claimed = read_through_claim text in
      Through { last_layer = layer; through_on = domain; through_about; through_claimed; through_proved_by = read_through_evidence text } in
  Text.finish_text text "4";
  certificate

(* ---------- the claim in words ---------- *)

let domain_in_words = function AllSpace -> "all" | Orthant -> "orthant" | Box _ -> "box" | Polytope _ -> "polytope"
let size_in_words = function Singleton -> "singleton" | Bounded -> "bounded" | Unbounded -> "unbounded" | Infinite -> "infinite"

let claim_in_words = function
  | OneLayer certificate ->
      Printf.sprintf "preimage of layer %d (%s): " certificate.scope_layer (domain_in_words certificate.on)
      ^ (match certificate.claimed with
         | Empty -> "empty"
         | Preimage (size, dimension, rank, active) ->
             Printf.sprintf "%s, dimension %d, rank %d, %d active" (size_in_words size) dimension rank active)
  | Through certificate ->
      Printf.sprintf "preimage through layer %d (%s): " certificate.last_layer (domain_in_words certificate.through_on)
      ^ (match certificate.through_claimed with
         | NoInput -> "empty"
         | Inputs (size, active) -> Printf.sprintf "%s, %d active" (size_in_words size) active)
  | Collision { collision_in = LayerAlone layer; collision_on; _ } ->
      Printf.sprintf "layer %d (%s): collision" layer (domain_in_words collision_on)
  | Collision { collision_in = LayersThrough layer; collision_on; _ } ->
      Printf.sprintf "through layer %d (%s): collision" layer (domain_in_words collision_on)
  | Injectivity certificate ->
      Printf.sprintf "layer %d (%s): injective" certificate.injective_layer (domain_in_words certificate.injective_on)
