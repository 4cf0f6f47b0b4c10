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
  | BiasLimit of bias_limit_certificate
  | Expansion of expansion_certificate
  | NetworkInjectivity of network_injectivity_certificate

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
  match Text.word fields [ "all"; "orthant"; "box"; "ball"; "polytope" ] with
  | "ball" ->
      let denominator = Text.positive fields "the radius's denominator" in
      let numerator = Text.natural fields "the radius's numerator" in
      Text.finish fields;
      Ball (denominator, numerator)
  | "polytope" ->
      let sides = Text.natural_below fields "the number of sides" Text.largest_size in
      Text.finish fields;
      Polyhedral (Polytope (Network_file.repeat sides (fun () -> read_side (Text.take text "side" "3.1"))))
  | kind ->
      Text.finish fields;
      if kind = "all" then Polyhedral AllSpace
      else if kind = "orthant" then Polyhedral Orthant
      else
        let lower = read_point text "lower" "3.1" in
        Polyhedral (Box (lower, read_point text "upper" "3.1"))

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

(* `empty`, or of a size the numbers that follow, or a size of one of the other words *)
let read_claim_line ?(others = []) text empty of_size =
  let fields = Text.take text "claim" "3.2" in
  ignore (Text.word fields [ "preimage" ]);
  let claim =
    match Text.word fields ([ "empty"; "singleton"; "bounded"; "unbounded"; "infinite" ] @ List.map fst others) with
    | "empty" -> empty
    | word when List.mem_assoc word others -> (List.assoc word others) fields
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

(* Section 4.9: trees of what is said and shown of the pre-image through layers, where they are not read. *)
let unknown_tree (text : Text.t) =
  match List.find_opt (Text.begins text) [ "cases"; "regions" ] with
  | Some keyword ->
      Text.finish (Text.take text keyword "4.9");
      Text.unknown text "4.9" (if keyword = "cases" then "trees of cases that hold sets of inputs" else "trees of regions with an output")
  | None -> Text.reject "4.9" (Printf.sprintf "line %d: one of these belongs here: cases, regions" text.number)

let read_through_claim text =
  let finite fields =
    let points = Text.count fields "K" in
    if points < 2 then Text.refuse fields "finitely many points are two or more";
    FiniteInputs (points, Text.count fields "ACTIVE") in
  let sized fields size =
    let active = Text.count fields "ACTIVE" in
    if size <> Singleton && not (Text.is_empty fields) then begin
      if Text.count fields "DIM" = 0 then Text.refuse fields "DIM is 0";
      Text.finish fields;
      unknown_tree text
    end;
    Inputs (size, active) in
  match read_claim_line ~others:[ ("finite", finite) ] text NoInput sized with
  | NoInput | Inputs (Singleton, _) | FiniteInputs _ when Text.begins text "regions" -> unknown_tree text
  | claim -> claim

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

let deepest_case = 0x1000

(* a case and all below it *)
let rec read_case text depth =
  if Text.begins text "split" then begin
    if depth = deepest_case then Text.reject "4.9" (Printf.sprintf "a tree deeper than %d" deepest_case);
    let fields = Text.take text "split" "4.9" in
    let layer = Text.count fields "a layer" in
    let row = Text.count fields "a row" in
    Text.finish fields;
    let inactive = read_case text (depth + 1) in
    Divide (layer, row, inactive, read_case text (depth + 1))
  end else
    let claim = read_claim text in
    Leaf (claim, read_evidence text [ "split"; "claim"; "end" ])

let read_through_evidence text =
  let from_an_input () =
    if Text.begins text "second" then SecondPoint (read_point text "second" "4.9")
    else if Text.begins text "direction" then Direction (read_point text "direction" "4.9")
    else
      let rec onto parts = if Text.begins text "part" then onto (read_part text :: parts) else Parts (List.rev parts) in
      onto [] in
  if Text.begins text "cases" then begin
    Text.finish (Text.take text "cases" "4.9");
    Cases (read_case text 0)
  end
  else if Text.begins text "solution" then
    let input = read_point text "solution" "4.9" in
    StartingAt (input, from_an_input ())
  else from_an_input ()

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

let read_tree_lines text section =
  let rec onto lines =
    match List.find_opt (fun (keyword, _) -> Text.begins text keyword) tree_lines with
    | None -> List.rev lines
    | Some (keyword, read) ->
        let fields = Text.take text keyword section in
        let line = read fields in
        Text.finish fields;
        onto (line :: lines) in
  onto []

let read_tree text =
  let fields = Text.take text "tree" "4.10" in
  let prime = Text.positive fields "Q" in
  if Z.equal prime Z.one || Z.numbits prime > 64 then Text.refuse fields "Q is 1, or not below 2^64";
  Text.finish fields;
  ByTree (prime, read_tree_lines text "4.10")

let read_certain text section =
  let fields = Text.take text "certain" section in
  let certain = read_numbers fields in
  Text.finish fields;
  certain

let read_full_rank text =
  let dependencies = lines_of text "dependency" "4.10" read_dependency in
  let flats = lines_of text "flat" "4.10" (fun fields ->
    let sides = read_multipliers fields in
    Text.finish fields;
    sides) in
  let certain = read_certain text "4.10" in
  let spanned_by = if Text.begins text "rank" then ByRank (read_rank text "4.10") else read_tree text in
  { dependencies; flats; certain; spanned_by }

let read_windows text =
  let fields = Text.take text "windows" "4.10" in
  let count = Text.count fields "K" in
  Text.finish fields;
  let used = Hashtbl.create 64 in
  let read_rows fields =
    let rows = read_numbers fields in
    Text.finish fields;
    List.iter (fun row ->
      if Hashtbl.mem used row then Text.refuse fields "a row stands in a window before";
      Hashtbl.add used row ()) rows;
    rows in
  ByWindows (Network_file.repeat count (fun () ->
    if Text.begins text "window" then begin
      let window_rows = read_rows (Text.take text "window" "4.10") in
      { window_rows; window_by = ByItself (read_full_rank text) }
    end
    else
      let fields = Text.take text "same" "4.10" in
      let earlier = Text.count fields "W" in
      { window_rows = read_rows fields; window_by = AsBefore earlier }))

(* the evidence that one layer is injective *)
let read_injectivity text = if Text.begins text "windows" then read_windows text else AtOnce (read_full_rank text)

(* ---------- section 4.14 ---------- *)

let read_stage number text =
  let fields = Text.take text "stage" "4.14" in
  if Text.count fields "a layer" <> number then Text.refuse fields (Printf.sprintf "the evidence for layer %d belongs here" number);
  let stage_inputs =
    match Text.word fields [ "all"; "domain"; "image"; "orthant" ] with
    | "all" -> AllVectors
    | "domain" -> TheDomain
    | "image" -> IntervalImage
    | _ -> NonNegative in
  Text.finish fields;
  { stage_inputs; stage_by = read_injectivity text }

(* ---------- section 4.13 ---------- *)

let largest_number_of_regions = Z.shift_left Z.one 64

let read_number_of_regions fields what =
  let found = Text.natural fields what in
  if Z.gt found largest_number_of_regions then Text.refuse fields (what ^ " is larger than 2^64");
  found

(* a mask over the rows of a cell, the last one first *)
let marks_of fields what rows =
  match fit rows (Text.mask fields what) with
  | Some marks -> List.rev marks
  | None -> Text.refuse fields (what ^ " names a row that does not exist")

let read_cones fields rows =
  let rec onto cones = if Text.is_empty fields then List.rev cones else onto (marks_of fields "a cone" rows :: cones) in
  onto []

let deepest_cell = 0x10000

(* A cell and all below it, with so many rows, of which `counted` are neurons that are positive; the numbers of regions and facets grow.
   What is to be made of the cell is handed on, as `next`, so that a deep tree needs no stack. *)
let rec read_cell text dimension found depth rows counted next =
  if depth > deepest_cell then Text.reject "4.13" (Printf.sprintf "a cell is below more than %d others" deepest_cell);
  if Text.begins text "region" then begin
    let fields = Text.take text "region" "4.13" in
    let facets = marks_of fields "MASK" rows in
    if List.exists2 (fun facet counts -> facet && not counts) facets counted then
      Text.refuse fields "a row is no facet that counts";
    let cones = read_cones fields rows in
    let regions, adjacencies = !found in
    found := (regions + 1, adjacencies + List.length (List.filter Fun.id facets));
    let read_inside fields =
      if List.compare_length_with (point_of fields).numerators dimension <> 0 then Text.refuse fields "a point of another dimension" in
    ignore (lines_of text "point" "4.13" read_inside);
    next (Region cones)
  end else begin
    let fields = Text.take text "cut" "4.13" in
    let neuron = Text.count fields "a neuron" in
    let kept = marks_of fields "MASK" rows in
    let cones = read_cones fields rows in
    let counted = pick kept counted in
    let part is_on = read_cell text dimension found (depth + 1) (List.length counted + 1) (is_on :: counted) in
    part false (fun off -> part true (fun on -> next (Cut (cones, neuron, kept, off, on))))
  end

(* the sides of a domain that are not constant *)
let number_of_sides dimension = function
  | AllSpace -> 0
  | Orthant -> dimension
  | Box _ -> 2 * dimension
  | Polytope sides -> List.length (List.filter (fun (_, a) -> List.exists (fun v -> Z.sign v <> 0) a) sides)

let read_cells text dimension domain regions adjacencies =
  Text.finish (Text.take text "tree" "4.13");
  let found = ref (0, 0) in
  let sides = number_of_sides dimension domain in
  let cells = read_cell text dimension found 0 sides (List.init sides (fun _ -> false)) Fun.id in
  if not (Z.equal (Z.of_int (fst !found)) regions && Z.equal (Z.of_int (snd !found)) adjacencies) then
    Text.reject "4.13" (Printf.sprintf "there are %d regions with %d facets that count, not as many as are said" (fst !found) (snd !found));
  cells

(* ---------- section 4.15 ---------- *)

(* `keyword R A`, the lines that `own` reads, and the cells that show R and A, of so many inputs as `own` says *)
let read_maps text keyword domain own =
  let fields = Text.take text keyword "4.15" in
  let regions = read_number_of_regions fields "R" in
  let adjacencies = read_number_of_regions fields "A" in
  Text.finish fields;
  let found, dimension = own () in
  match domain with
  | Ball _ -> Text.unknown text "4.15" "the maps of a ball's regions"
  | Polyhedral domain -> (found, read_cells text dimension domain regions adjacencies)

let read_definite text domain =
  let weights, cells = read_maps text "definite" domain (fun () ->
    let weights = lines_of text "weights" "4.15" rest_of in
    (weights, List.length weights)) in
  ByMatrix (weights, cells)

let read_orientation text domain =
  if domain <> Polyhedral AllSpace then Text.reject "4.15" "orientations decide on all of R^n";
  let point, cells = read_maps text "orientation" domain (fun () ->
    let point = read_point text "point" "4.15" in
    (point, List.length point.numerators)) in
  ByOrientation (point, cells)

(* the number of a block's last layer and a row, up to a power of two, which does not matter *)
let read_inverse_row fields =
  let block = Text.count fields "a layer" in
  (block, direction_of fields)

(* rows one after the other that are of one block *)
let in_blocks rows =
  List.fold_right (fun (block, row) blocks ->
    match blocks with
    | (next, rows) :: others when next = block -> (block, row :: rows) :: others
    | _ -> (block, [ row ]) :: blocks) rows []

(* Section 4.16, which is not read. *)
let read_pairs text keyword =
  let fields = Text.take text keyword "4.16" in
  ignore (read_number_of_regions fields "R");
  ignore (read_number_of_regions fields "A");
  Text.finish fields;
  Text.unknown text "4.16" (if keyword = "pairs" then "pairs of regions" else "pairs of parts of the boundary")

let read_network_injectivity text network_layers network_on =
  let network_by =
    if Text.begins text "pairs" then read_pairs text "pairs"
    else if Text.begins text "boundary" then
      match network_on with
      | Polyhedral (AllSpace | Orthant) -> Text.reject "4.16" "the boundary is asked for on a bounded domain"
      | _ -> read_pairs text "boundary"
    else if Text.begins text "definite" then read_definite text network_on
    else if Text.begins text "orientation" then read_orientation text network_on
    else
    if Text.begins text "skips" then begin
      let fields = Text.take text "skips" "4.14" in
      let ends = read_numbers fields in
      Text.finish fields;
      BySkips (ends, in_blocks (lines_of text "inverse" "4.14" read_inverse_row))
    end
    else
      let rec onto number stages =
        if number > network_layers then ByStages (List.rev stages) else onto (number + 1) (read_stage number text :: stages) in
      onto 1 [] in
  { network_layers; network_on; network_by }

(* ---------- section 4.11 ---------- *)

(* D N at the end of a line: the number N / D *)
let read_fraction fields =
  let below = Text.positive fields "a denominator" in
  let above = Text.integer fields "a numerator" in
  Text.finish fields;
  { below; above }

let not_lowered = { below = Z.one; above = Z.zero }

let read_bias_limit text limited_layer limited_on bias_limit =
  let common_input = read_point text "point" "4.11" in
  let first_direction = read_point text "first" "4.11" in
  { limited_layer; limited_on; bias_limit; common_input; first_direction; second_direction = read_point text "second" "4.11" }

let read_expansion text expansive_layer expansive_on expansive_lowered_by expansion =
  let expansion_dependencies = lines_of text "dependency" "4.11" read_dependency in
  let expansion_certain = read_certain text "4.11" in
  let fields = Text.take text "tree" "4.11" in
  if Z.sign (Text.natural fields "0") <> 0 then Text.refuse fields "the tree of an expansion is `tree 0`";
  Text.finish fields;
  let expansion_tree = read_tree_lines text "4.11" in
  { expansive_layer; expansive_on; expansive_lowered_by; expansion; expansion_dependencies; expansion_certain; expansion_tree }

(* Section 3.5: claims about regions, which are not read. *)
let read_slice text =
  let fields = Text.take text "slice" "3.5" in
  let directions = Text.natural_below fields "K" Text.largest_size in
  Text.finish fields;
  ignore (read_point text "origin" "3.5");
  ignore (Network_file.repeat directions (fun () -> read_point text "direction" "3.5"))

let read_regions text fields domain on_slice =
  ignore (read_number_of_regions fields "R");
  ignore (read_number_of_regions fields "A");
  Text.finish fields;
  match domain with
  | Ball _ -> Text.reject "3.5" "regions of a ball are not asked for"
  | Polyhedral _ -> Text.unknown text "3.5" (if on_slice then "claims about regions of a slice" else "claims about regions")

(* a claim about a layer or the network, not about one of its outputs *)
let read_claim_of_all_inputs text kind layer domain =
  let of_layer = kind = "layer" in
  Text.finish (Text.take text (if of_layer then "subject layer" else "subject network") "3");
  let is_lowered = of_layer && Text.begins text "lowered" in
  let lowered_by = if is_lowered then read_fraction (Text.take text "lowered" "3.4") else not_lowered in
  let on_slice = not of_layer && Text.begins text "slice" in
  if on_slice then read_slice text;
  let fields = Text.take text "claim" "3.4" in
  match Text.word fields ([ "collision"; "injective" ] @ if of_layer then [ "bias-limit"; "expansion" ] else [ "regions" ]) with
  | "regions" -> read_regions text fields domain on_slice
  | _ when on_slice -> Text.refuse fields "only regions are asked for on a slice"
  | "injective" ->
      Text.finish fields;
      if of_layer then
        Injectivity
          { injective_layer = layer; injective_on = domain; injective_lowered_by = lowered_by; injective_by = read_injectivity text }
      else NetworkInjectivity (read_network_injectivity text layer domain)
  | "bias-limit" ->
      let limit = read_fraction fields in
      if is_lowered then Text.reject "3.4" "a limit is that of the layer as it is, without `lowered`";
      BiasLimit (read_bias_limit text layer domain limit)
  | "expansion" ->
      let expansion = read_fraction fields in
      if Z.sign expansion.above <= 0 then Text.refuse fields "N is not positive";
      Expansion (read_expansion text layer domain lowered_by expansion)
  | _ ->
      Text.finish fields;
      let collision_in = if of_layer then LayerAlone (layer, lowered_by) else LayersThrough layer in
      let first_input = read_point text "first" "4.10" in
      Collision { collision_in; collision_on = domain; first_input; second_input = read_point text "second" "4.10" }

let polyhedral = function
  | Polyhedral domain -> domain
  | Ball _ -> Text.reject "3.1" "a ball is a domain of claims about all inputs only"

(* the certificate after its header; raises Text.Rejected and Text.Unknown *)
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
    else
      let domain = polyhedral domain in
      if kind = "layer" then
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

let convex_domain_in_words = function Polyhedral domain -> domain_in_words domain | Ball _ -> "ball"

(* exactly if that is short *)
let fraction_in_words { below; above } =
  let value = Q.make above below in
  let bits = max (Z.numbits value.num) (Z.numbits value.den) in
  if bits <= 32 then Q.to_string value
  else if bits <= 900 then Printf.sprintf "about %.6g" (Q.to_float value)
  else Printf.sprintf "a number of %d over %d bits" (Z.numbits value.num) (Z.numbits value.den)

(* 1/2 sqrt(q) for q > 0, rounded down to four digits, below the number itself *)
let half_root_in_words { below; above } =
  (* the largest natural number below 1/2 sqrt(q) / 10^exponent, if that is not too large *)
  let digits exponent =
    let power = Z.pow (Z.of_int 10) (2 * abs exponent) in
    let numerator, denominator = if exponent < 0 then (Z.mul above power, below) else (above, Z.mul below power) in
    let quotient = Z.div (Z.pred numerator) (Z.mul (Z.of_int 4) denominator) in
    Z.sqrt quotient in
  let rec from exponent =
    let found = digits exponent in
    if Z.geq found (Z.of_int 10000) then from (exponent + 1)
    else if Z.lt found (Z.of_int 1000) then from (exponent - 1)
    else (Z.to_int found, exponent) in
  let decimals bits = bits * 301 / 2000 in
  let found, exponent = from (decimals (Z.numbits above - Z.numbits below) - 4) in
  let places = Printf.sprintf "%d" found in
  if exponent > 0 || exponent < -9 then Printf.sprintf "%c.%sE%+d" places.[0] (String.sub places 1 3) (exponent + 3)
  else if exponent = 0 then places
  else if exponent > -4 then String.sub places 0 (4 + exponent) ^ "." ^ String.sub places (4 + exponent) (- exponent)
  else "0." ^ String.make (- exponent - 4) '0' ^ places

let layer_in_words layer domain lowered_by =
  Printf.sprintf "layer %d (%s)%s: " layer (convex_domain_in_words domain)
    (if Z.sign lowered_by.above = 0 then "" else ", biases lowered by " ^ fraction_in_words lowered_by)

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
         | FiniteInputs (points, active) -> Printf.sprintf "finite, %d points, %d active" points active
         | Inputs (size, active) -> Printf.sprintf "%s, %d active" (size_in_words size) active)
  | Collision { collision_in = LayerAlone (layer, lowered_by); collision_on; _ } -> layer_in_words layer collision_on lowered_by ^ "collision"
  | Collision { collision_in = LayersThrough layer; collision_on; _ } ->
      "through " ^ layer_in_words layer collision_on not_lowered ^ "collision"
  | NetworkInjectivity certificate ->
      "through " ^ layer_in_words certificate.network_layers certificate.network_on not_lowered ^ "injective"
  | Injectivity certificate ->
      layer_in_words certificate.injective_layer certificate.injective_on certificate.injective_lowered_by ^ "injective"
  | BiasLimit certificate ->
      layer_in_words certificate.limited_layer certificate.limited_on not_lowered
      ^ "not injective once biases are lowered by more than " ^ fraction_in_words certificate.bias_limit
  | Expansion certificate ->
      layer_in_words certificate.expansive_layer certificate.expansive_on certificate.expansive_lowered_by
      ^ Printf.sprintf "||f(x) - f(y)|| >= %s ||x - y||" (half_root_in_words certificate.expansion)
