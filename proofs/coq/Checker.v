(* The checker: section 4 of FORMAT.md as a function from a network and a certificate to true or false.
   `check_sound` in Soundness.v: whatever the oracle proposes, true means that the claim holds (Claims.v). *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate Vectors ApproximateInverse Systems.
Import ListNotations.
Local Open Scope Z_scope.

Section Oracle.
Variable propose : oracle.

(* ---------- lists of rows and sides ---------- *)

(* a general row, or the side sign * d_column <= 0 *)
Inductive entry := General (r : general_row) | Side (column : nat) (sign : Z).

Fixpoint sides_onto (j : nat) (lower upper : list bool) (reversed : list entry) : list entry :=
  match lower, upper with
  | l :: lower', u :: upper' =>
      let reversed := if l : bool then Side j (-1) :: reversed else reversed in
      let reversed := if u : bool then Side j 1 :: reversed else reversed in
      sides_onto (S j) lower' upper' reversed
  | _, _ => rev_append reversed []
  end.
(* in increasing columns, lower before upper *)
Definition sides (s : system) : list entry := sides_onto 0 (lower_sides s) (upper_sides s) [].

(* marks of the sides, in the same order, from a mark for each column's lower and upper side *)
Fixpoint side_marks_onto (lower upper mark_lower mark_upper reversed : list bool) : list bool :=
  match lower, upper, mark_lower, mark_upper with
  | l :: lower', u :: upper', ml :: mark_lower', mu :: mark_upper' =>
      let reversed := if l : bool then ml :: reversed else reversed in
      let reversed := if u : bool then mu :: reversed else reversed in
      side_marks_onto lower' upper' mark_lower' mark_upper' reversed
  | _, _, _, _ => rev_append reversed []
  end.
Definition side_marks (s : system) (mark_lower mark_upper : list bool) : list bool :=
  side_marks_onto (lower_sides s) (upper_sides s) mark_lower mark_upper [].

Fixpoint entry_at (d : list Z) (j : nat) : Z :=
  match d, j with [], _ => 0 | u :: _, O => u | _ :: d', S j' => entry_at d' j' end.
(* entry . d *)
Definition entry_dot (d : list Z) (e : entry) : Z :=
  match e with General r => dot (normal r) d | Side j sign => sign * entry_at d j end.
Definition entry_is_zero (e : entry) : bool := match e with General r => is_zero (normal r) | Side _ _ => false end.
Definition general_normals (es : list entry) : list (list Z) :=
  rev_append (fold_left (fun ns e => match e with General r => normal r :: ns | Side _ _ => ns end) es []) [].
Definition side_columns (es : list entry) : list nat :=
  rev_append (fold_left (fun js e => match e with General _ => js | Side j _ => j :: js end) es []) [].

(* the multipliers of the normals, up to one positive factor *)
Definition scale_weights (rs : list general_row) (ws : list Z) : list Z :=
  let low := fold_left (fun m r => Z.min m (binary r)) rs 0 in
  tmap2 (fun r w => Z.shiftl (w * Zpos (weight r)) (binary r - low)) rs ws.
(* not negative on inequalities *)
Definition signs_ok (rs : list general_row) (ws : list Z) : bool :=
  Nat.eqb (size_of rs) (size_of ws) && forallb (fun b => b) (tmap2 (fun r w => is_equality r || (0 <=? w)) rs ws).

(* ---------- 4.2: the rank of a list of rows and sides ---------- *)

(* rows * columns of a list; the sides chosen are unit rows in the columns `Beside` *)
Record block := Block { block_size : nat; block_entries : list entry; block_places : list place }.

Fixpoint places_onto (j : nat) (columns : list bool) (units : list nat) (reversed : list place) : option (list place) :=
  match columns with
  | [] => match units with [] => Some (rev_append reversed []) | _ => None end
  | c :: columns' =>
      match units with
      | u :: units' =>
          if Nat.eqb u j then if c : bool then places_onto (S j) columns' units' (Beside :: reversed) else None
          else places_onto (S j) columns' units ((if c : bool then Inside else Outside) :: reversed)
      | [] => places_onto (S j) columns' [] ((if c : bool then Inside else Outside) :: reversed)
      end
  end.

(* n: the number of columns *)
Definition block_of (n : nat) (es : list entry) (r : rank_evidence) : option block :=
  match fit (size_of es) (chosen_rows r), fit n (chosen_columns r) with
  | Some rows, Some columns =>
      let chosen := pick rows es in
      match places_onto 0 columns (side_columns chosen) [] with
      | Some places =>
          if Nat.eqb (number rows) (rank_value r) && Nat.eqb (number columns) (rank_value r)
             && Nat.eqb (size_of (general_normals chosen)) (number (tmap is_inside places))
             && forallb (fun a => Nat.eqb (size_of a) n) (general_normals chosen)
          then Some (Block (rank_value r) chosen places) else None
      | None => None
      end
  | _, _ => None
  end.

(* A unit row is eliminated with its column, which leaves a smaller block with the same determinant up to its sign. *)
Definition is_regular (q : Z) (b : block) : bool :=
  let inside := tmap is_inside (block_places b) in
  let normals := general_normals (block_entries b) in
  let size := number inside in
  let modulo q := invertible_modulo propose q size (tmap (fun a => pick inside (odd_row a)) normals) in
  let near attempt :=
    match bound_inverse propose attempt (tmap (fun b : bool => if b then Inside else Outside) inside) normals (zeros size) [] with
    | Some _ => true
    | None => false
    end in
  if q =? 0 then near 0%nat || modulo 2147483647 || existsb near (tl attempts) else modulo q.

(* D * row_i = sum of c_j row_j, j increasing and chosen *)
Fixpoint terms_ok (next : nat) (rows : list bool) (es : list entry) (ts : list (nat * Z))
    (general_terms : list (general_row * Z)) (side_terms : list (nat * Z)) {struct es}
    : option (list (general_row * Z) * list (nat * Z)) :=
  match es, rows with
  | e :: es', b :: rows' =>
      match ts with
      | (j, c) :: ts' =>
          if Nat.eqb j next
          then if (b : bool) && negb (c =? 0)
               then match e with
                    | General r => terms_ok (S next) rows' es' ts' ((r, c) :: general_terms) side_terms
                    | Side k sign => terms_ok (S next) rows' es' ts' general_terms ((k, c * sign) :: side_terms)
                    end
               else None
          else terms_ok (S next) rows' es' ts general_terms side_terms
      | [] => Some (general_terms, side_terms)
      end
  | _, _ => match ts with [] => Some (general_terms, side_terms) | _ => None end
  end.

Definition unit_at (n j : nat) (c : Z) : list Z := repeat_onto 0 j (c :: zeros (n - S j)).

Definition relation_holds (n : nat) (rows : list bool) (es : list entry) (i : nat) (e : entry) (rel : relation) : bool :=
  Nat.eqb (related rel) i && (0 <? factor rel)
  && match terms_ok 0 rows es (terms rel) [] [] with
     | Some (general_terms, side_terms) =>
         let '(general_terms, side_terms) :=
           match e with
           | General r => ((r, - factor rel) :: general_terms, side_terms)
           | Side k sign => (general_terms, (k, - factor rel * sign) :: side_terms)
           end in
         let rs := tmap fst general_terms in
         let low := fold_left (fun m r => Z.min m (binary r)) rs 0 in
         let one := Z.shiftl 1 (- low) in
         let sum := combination (scale_weights rs (tmap snd general_terms)) (tmap normal rs) (zeros n) in
         is_zero (fold_left (fun acc t => add_scaled (one * snd t) (unit_at n (fst t) 1) acc) side_terms sum)
     | None => false
     end.

Fixpoint relations_hold (n : nat) (rows : list bool) (all : list entry) (i : nat) (marks : list bool) (es : list entry)
    (rels : list relation) : bool :=
  match es, marks with
  | e :: es', b :: marks' =>
      if (b : bool) || entry_is_zero e then relations_hold n rows all (S i) marks' es' rels
      else match rels with
           | rel :: rels' => relation_holds n rows all i e rel && relations_hold n rows all (S i) marks' es' rels'
           | [] => false
           end
  | _, _ => match rels with [] => true | _ => false end
  end.

(* vector k: zero at the other columns outside COLS and not at its own, and in the kernel of all *)
Fixpoint null_vectors_ok (n : nat) (es : list entry) (outside : list bool) (k total : nat) (vs : list (list Z)) : bool :=
  match vs with
  | [] => Nat.eqb k total
  | v :: vs' =>
      let at_outside := pick outside v in
      let (before, from) := split_at k at_outside in
      Nat.eqb (size_of v) n && is_zero before
      && match from with [] => false | own :: after => negb (own =? 0) && is_zero after end
      && forallb (fun e => entry_dot v e =? 0) es && null_vectors_ok n es outside (S k) total vs'
  end.

(* which columns are not zero *)
Definition columns_met (n : nat) (es : list entry) : list bool :=
  fold_left (fun met e =>
      match e with
      | General r => tmap2 (fun (b : bool) a => b || negb (a =? 0)) met (normal r)
      | Side j _ => tmap2 (fun (b : bool) a => b || negb (a =? 0)) met (unit_at n j 1)
      end) es (repeat_onto false n []).

Definition at_most (n : nat) (es : list entry) (r : rank_evidence) : bool :=
  match bound_above r with
  | ByRows => Nat.eqb (number (tmap (fun e => negb (entry_is_zero e)) es)) (rank_value r)
  | ByColumns => Nat.eqb (number (columns_met n es)) (rank_value r)
  | ByRelations rels =>
      match fit (size_of es) (chosen_rows r) with
      | Some rows => relations_hold n rows es 0 rows es rels
      | None => false
      end
  | ByNullVectors vs =>
      match fit n (chosen_columns r) with
      | Some columns =>
          let outside := tmap negb columns in
          null_vectors_ok n es outside 0 (number outside) vs
      | None => false
      end
  end.

(* The rank of the list is rank_value r; the block that shows it *)
Definition check_rank (n : nat) (es : list entry) (r : rank_evidence) : option block :=
  match block_of n es r with
  | Some b => if is_regular (modulus r) b && at_most n es r then Some b else None
  | None => None
  end.

(* ---------- 4.3: a system that only 0 satisfies ---------- *)

(* Of a column with its sides: the implied multiplier and what is left of sigma_j, in absolute value. *)
Definition implied (lower upper : bool) (sigma : Z) : Z * Z :=
  match lower, upper with
  | true, true => (0, 0)
  | true, false => (Z.max 0 sigma, Z.max 0 (- sigma))
  | false, true => (Z.max 0 (- sigma), Z.max 0 sigma)
  | false, false => (0, Z.abs sigma)
  end.
Definition implied_multipliers (s : system) (sigma : list Z) : list (Z * Z) :=
  tmap2 (fun sides v => implied (fst sides) (snd sides) v) (tmap2 pair (lower_sides s) (upper_sides s)) sigma.
Definition residual_norm (implied : list (Z * Z)) : Z := fold_left (fun sum lv => sum + snd lv) implied 0.

(* the sides in S: a place for every column; None if both sides of a column are in S, or marks are left *)
Fixpoint place_sides (lower upper marks : list bool) (reversed : list place) : option (list place) :=
  match lower, upper with
  | l :: lower', u :: upper' =>
      let '(in_lower, marks) := if l : bool then match marks with m :: ms => (m, ms) | [] => (false, []) end else (false, marks) in
      let '(in_upper, marks) := if u : bool then match marks with m :: ms => (m, ms) | [] => (false, []) end else (false, marks) in
      if in_lower && in_upper then None
      else place_sides lower' upper' marks ((if in_lower || in_upper then Beside else Inside) :: reversed)
  | _, _ => match marks with [] => Some (rev_append reversed []) | _ => None end
  end.

(* a multiplier exceeds what the residual needs, on the inequalities of S and on its sides that are not fixed *)
Definition exceeds (b : inverse_bound) (norm : Z) (chosen : list (bool * Z)) (chosen_sides : list (bool * Z)) : bool :=
  let enough (equality_w : bool * Z) (q : Z) := fst equality_w || (norm * q <? gap b * snd equality_w) in
  forallb (fun x => x) (tmap2 enough chosen (row_bounds b))
  && forallb (fun x => x) (tmap2 enough chosen_sides (side_bounds b)).

(* no bound lets a multiplier 0 exceed anything: known before a bound is looked for *)
Definition can_exceed (equality_w : bool * Z) : bool := fst equality_w || (0 <? snd equality_w).

Definition margin_holds (s : system) (selected : list bool) (outside : Z) (ws : list Z) : bool :=
  let rs := general s in
  let k := size_of rs in
  match fit (k + size_of (sides s)) selected with
  | None => false
  | Some marks =>
      let (in_S, sides_in_S) := split_at k marks in
      match place_sides (lower_sides s) (upper_sides s) sides_in_S [] with
      | None => false
      | Some places =>
          let scaled := scale_weights rs (tmap2 (fun (b : bool) w => if b then w else Z.shiftl w outside) in_S ws) in
          let normals := tmap normal rs in
          let implied := implied_multipliers s (combination scaled normals (zeros (columns s))) in
          let norm := residual_norm implied in
          let chosen := tmap2 (fun r w => (is_equality r, w)) (pick in_S rs) (pick in_S scaled) in
          let beside := tmap is_beside places in
          let chosen_sides :=
            tmap2 pair (pick beside (tmap2 andb (lower_sides s) (upper_sides s))) (pick beside (tmap fst implied)) in
          Nat.eqb (number marks) (columns s) && Nat.eqb (size_of (lower_sides s)) (columns s)
          && Nat.eqb (size_of (upper_sides s)) (columns s)
          && (0 <=? outside) && signs_ok rs ws && signs_ok rs scaled
          && forallb (fun a => Nat.eqb (size_of a) (columns s)) normals
          && forallb can_exceed chosen && forallb can_exceed chosen_sides
          && some_bound propose attempts places (pick in_S normals) (zeros (number in_S)) (zeros (number beside))
               (fun b => exceeds b norm chosen chosen_sides)
      end
  end.

(* the general rows' multipliers leave no residual: the implied multipliers *)
Definition exact_multipliers (s : system) (ws : list Z) : option (list (Z * Z)) :=
  let scaled := scale_weights (general s) ws in
  let implied := implied_multipliers s (combination scaled (tmap normal (general s)) (zeros (columns s))) in
  if signs_ok (general s) ws && signs_ok (general s) scaled
     && Nat.eqb (size_of (lower_sides s)) (columns s) && Nat.eqb (size_of (upper_sides s)) (columns s)
     && forallb (fun r => Nat.eqb (size_of (normal r)) (columns s)) (general s)
     && (residual_norm implied =? 0)
  then Some implied else None.

Definition fixed_columns (s : system) : list bool := tmap2 andb (lower_sides s) (upper_sides s).
Definition positive (implied : list (Z * Z)) : list bool := tmap (fun lv => 0 <? fst lv) implied.
Definition entries_of (s : system) : list entry := tapp (tmap General (general s)) (sides s).

(* equalities, inequalities and sides with a positive multiplier, and lower sides of fixed columns *)
Definition support (s : system) (ws : list Z) (implied : list (Z * Z)) : list entry :=
  let general_marks := tmap2 (fun r w => is_equality r || negb (w =? 0)) (general s) ws in
  let lower_marks := tmap2 orb (fixed_columns s) (positive implied) in
  let upper_marks := tmap2 (fun (fixed p : bool) => negb fixed && p) (fixed_columns s) (positive implied) in
  pick (tapp general_marks (side_marks s lower_marks upper_marks)) (entries_of s).

Definition check_trivial (s : system) (e : evidence) : bool :=
  match e with
  | TrivialMargin selected outside ws => margin_holds s selected outside ws
  | TrivialExact ws r =>
      match exact_multipliers s ws with
      | Some implied =>
          Nat.eqb (rank_value r) (columns s) && (match bound_above r with ByColumns => true | _ => false end)
          && (match check_rank (columns s) (support s ws implied) r with Some _ => true | None => false end)
      | None => false
      end
  | _ => false
  end.

(* ---------- 4.6: a strict ray ---------- *)

(* the sum of |entry_j| over the columns that are marked *)
Definition reach (covered : list bool) (e : entry) : Z :=
  match e with
  | General r => sum_abs (pick covered (normal r))
  | Side j _ => if nth j covered false then 1 else 0
  end.
Definition general_rho (d : list Z) (es : list entry) : list Z := tmap (fun a => Z.abs (dot a d)) (general_normals es).
Definition side_rho (d : list Z) (es : list entry) : list Z := tmap (fun j => Z.abs (entry_at d j)) (side_columns es).

(* b: the block that gives `equalities` their rank *)
Definition check_ray (n : nat) (equalities strict : list entry) (b : block) (e : evidence) : bool :=
  match e with
  | RayExact d =>
      Nat.eqb (size_of d) n && negb (is_zero d) && forallb (fun e => entry_dot d e =? 0) equalities
      && forallb (fun e => entry_dot d e <? 0) strict
  | RayMargin d =>
      Nat.eqb (size_of d) n && (match strict with [] => negb (Nat.eqb (block_size b) n) | _ => true end)
      && let covered := tmap (fun p => is_inside p || is_beside p) (block_places b) in
         some_bound propose attempts (block_places b) (general_normals (block_entries b))
           (general_rho d (block_entries b)) (side_rho d (block_entries b))
           (fun bound => forallb (fun e => gap bound * entry_dot d e + correction bound * reach covered e <? 0) strict)
  | _ => false
  end.

(* ---------- 4.4 and 4.5: one point, or the dimension ---------- *)

Definition check_singleton (l : layer) (K : domain) (x z : point) (rank : nat) (rest : list evidence) : bool :=
  match rest with
  | [] => Nat.eqb rank (inputs l)
  | [e] => negb (Nat.eqb rank (inputs l)) && check_trivial (tight_system l K x z) e
  | _ => false
  end.

(* as an equality a side of column j is the row e_j, upper or lower *)
Definition upward (e : entry) : entry := match e with General _ => e | Side j _ => Side j 1 end.

(* the evidence that is left, if the dimension is proved; b: the block of A_P *)
Definition check_dimension (l : layer) (K : domain) (x z : point) (b : block) (dimension : nat) (rest : list evidence)
    : option (list evidence) :=
  let n := inputs l in
  let s := tight_system l K x z in
  let all := entries_of s in
  let equality_marks := tapp (tmap is_equality (general s)) (tmap (fun _ => false) (sides s)) in
  let has_dimension (rank : nat) (rest : list evidence) := if Nat.eqb (dimension + rank) n then Some rest else None in
  if forallb (fun m => m) equality_marks then has_dimension (block_size b) rest
  else
    match rest with
    | Tight mask :: rest =>
        match fit (size_of all) mask with
        | None => None
        | Some implicit =>
            let zero_marks := tmap2 orb equality_marks implicit in
            let equalities := tmap upward (pick zero_marks all) in
            let strict := pick (tmap negb zero_marks) all in
            if forallb negb (tmap2 andb equality_marks implicit)
            then
              let after_ray (b : block) (rest : list evidence) :=
                match strict with
                | [] => has_dimension (block_size b) rest
                | _ =>
                    match rest with
                    | e :: rest => if check_ray n equalities strict b e then has_dimension (block_size b) rest else None
                    | [] => None
                    end
                end in
              if forallb negb implicit then after_ray b rest
              else
                match rest with
                | Implicit ws r :: rest =>
                    match exact_multipliers s ws with
                    | Some implied =>
                        let general_marks := tmap2 (fun r w => negb (is_equality r) && negb (w =? 0)) (general s) ws in
                        let lower_marks := tmap2 orb (fixed_columns s) (positive implied) in
                        let due := tapp general_marks (side_marks s lower_marks lower_marks) in
                        if forallb (fun m => m) (tmap2 Bool.eqb due implicit)
                        then match check_rank n equalities r with Some b => after_ray b rest | None => None end
                        else None
                    | None => None
                    end
                | _ => None
                end
            else None
        end
    | _ => None
    end.

(* ---------- 4.7: bounded or not; b: the block of A_P ---------- *)

Definition check_boundedness (l : layer) (K : domain) (z : point) (b : block) (size : cardinality) (rest : list evidence)
    : bool :=
  let s := recession_system l K z in
  let entries := entries_of s in
  let equality_marks := tapp (tmap is_equality (general s)) (tmap (fun _ => false) (sides s)) in
  match size, rest with
  | Infinite, [] => true
  | Bounded, [] => match K with Box _ _ => true | _ => false end
  | Bounded, [e] => (match K with Box _ _ => false | _ => true end) && check_trivial s e
  | Unbounded, [Recession d] =>
      point_ok (columns s) d && negb (is_zero (numerators d))
      && forallb (fun e => entry_dot (numerators d) e =? 0) (pick equality_marks entries)
      && forallb (fun e => entry_dot (numerators d) e <=? 0) (pick (tmap negb equality_marks) entries)
  | Unbounded, [e] => check_ray (columns s) (pick equality_marks entries) (pick (tmap negb equality_marks) entries) b e
  | _, _ => false
  end.

(* ---------- 4.8: no point at all ---------- *)

(* a lower bound of sigma.x over the domain, as numerator and positive denominator *)
Definition infimum (K : domain) (sigma : list Z) : option (Z * Z) :=
  match K with
  | Orthant => if forallb (Z.leb 0) sigma then Some (0, 1) else None
  | Box lower upper =>
      let low := dot (tmap (Z.max 0) sigma) (numerators lower) in
      let high := dot (tmap (Z.min 0) sigma) (numerators upper) in
      Some (low * denominator upper + high * denominator lower, denominator lower * denominator upper)
  | _ => if is_zero sigma then Some (0, 1) else None
  end.

(* Multipliers of layer rows and polytope sides: their sum is sigma.x + constant / (Y 2^-low) <= 0 on the pre-image, but above 0
   on the domain. *)
Definition farkas_holds (l : layer) (K : domain) (y : point) (ws : list Z) : bool :=
  let polytope := match K with Polytope sides => sides | _ => [] end in
  let (layer_ws, side_ws) := split_at (size_of (rows l)) ws in
  let low := lowest_exponent (rows l) in
  let one := Z.shiftl 1 (- low) in
  let Y := denominator y in
  let scaled := tmap2 (fun r w => Z.shiftl w (exponent r - low)) (rows l) layer_ws in
  let scaled_sides := tmap (Z.mul one) side_ws in
  let sigma := combination scaled_sides (tmap snd polytope)
                 (combination scaled (tmap coefficients (rows l)) (zeros (inputs l))) in
  let constants := (dot scaled (tmap constant (rows l)) + dot scaled_sides (tmap fst polytope)) * Y
                   - one * dot layer_ws (numerators y) in
  Nat.eqb (size_of layer_ws) (size_of (rows l)) && Nat.eqb (size_of side_ws) (size_of polytope)
  && forallb (fun b => b) (tmap2 (fun w vb => negb (snd vb && (fst vb =? 0)) || (0 <=? w)) layer_ws
                                 (tmap2 pair (numerators y) (rectified l)))
  && forallb (Z.leb 0) side_ws
  && match infimum K sigma with
     (* sigma.x >= numerator / denominator; all is in units of 1 / (Y 2^-low) and of 1 / 2^-low *)
     | Some (numerator, denominator) => 0 <? numerator * Y + constants * denominator
     | None => false
     end.

Definition check_empty (l : layer) (K : domain) (y : point) (e : evidence) : bool :=
  match e with
  | NegativeOutput i =>
      match nth_error (numerators y) i, nth_error (rectified l) i with
      | Some v, Some marked => marked && (v <? 0)
      | _, _ => false
      end
  | FarkasMultipliers ws => farkas_holds l K y ws
  | EmptyMargin selected outside ws => margin_holds (homogenised_system l K y) selected outside ws
  | _ => false
  end.

(* ---------- 3 and 4.1: the claim, and a point of the pre-image ---------- *)

Definition value_through (ls : list layer) (p : point) : point := fold_left (fun p l => layer_value l p) ls p.

(* the layer that is spoken of, the layers before it *)
Definition split_layers (net : network) (scope : nat) : option (list layer * layer) :=
  match scope with
  | O => None
  | S before =>
      match split_at before (layers net) with
      | (ls, l :: _) => if Nat.eqb (size_of ls) before then Some (ls, l) else None
      | _ => None
      end
  end.

(* the input of the layer, if one is given; its values; and the output *)
Definition subject_values (net : network) (before : list layer) (l : layer) (s : subject) : option (option (point * point) * point) :=
  let of_input x := let z := row_values l x in Some (Some (x, z), rectify l z) in
  match s with
  | NetworkInput p => if point_ok (network_inputs net) p then of_input (value_through before p) else None
  | LayerInput x => if point_ok (inputs l) x then of_input x else None
  | LayerOutput y => if point_ok (size_of (rows l)) y then Some (None, y) else None
  end.

Definition base_point (l : layer) (K : domain) (y : point) (given : option (point * point)) (rest : list evidence)
    : option (point * point * list evidence) :=
  let solved :=
    match rest with
    | Solution x :: rest' =>
        let z := row_values l x in
        if point_ok (inputs l) x && contains K x && same_point (rectify l z) y then Some (x, z, rest') else None
    | _ => None
    end in
  match given with
  | Some (x, z) => if contains K x then Some (x, z, rest) else solved
  | None => solved
  end.

Definition check_preimage (l : layer) (K : domain) (y : point) (given : option (point * point)) (size : cardinality)
    (dimension rank active : nat) (rest : list evidence) : bool :=
  match base_point l K y given rest with
  | Some (x, z, RankOf r :: rest) =>
      match check_rank (inputs l) (tmap General (active_rows l z)) r with
      | Some b =>
          Nat.eqb (rank_value r) rank && Nat.eqb (number (tmap (Z.ltb 0) (numerators y))) active
          && match size with
             | Singleton => Nat.eqb dimension 0 && check_singleton l K x z rank rest
             | _ =>
                 negb (Nat.eqb dimension 0)
                 && match check_dimension l K x z b dimension rest with
                    | Some rest => check_boundedness l K z b size rest
                    | None => false
                    end
             end
      | None => false
      end
  | _ => false
  end.

(* for a network whose widths agree *)
Definition check_layer (net : network) (c : certificate) : bool :=
  match split_layers net (scope_layer c) with
  | Some (before, l) =>
      domain_ok (inputs l) (on c)
      && match subject_values net before l (about c) with
         | Some (given, y) =>
             match claimed c with
             | Empty => match proved_by c with [e] => check_empty l (on c) y e | _ => false end
             | Preimage size dimension rank active => check_preimage l (on c) y given size dimension rank active (proved_by c)
             end
         | None => false
         end
  | None => false
  end.

Definition check (net : network) (c : certificate) : bool := network_ok net && check_layer net c.

End Oracle.
